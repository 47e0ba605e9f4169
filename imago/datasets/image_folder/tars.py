"""Tars of unknown origin, plain or compressed, whose files are found by their paths.

tarfile reads headers that extend others into memory whatever their size, and unpacks holes that it
is told of; here such headers are bounded, and holes refused. A tar has no checksums for content:
what pins it is the digest of the whole file.
"""

import bz2
import contextlib
import functools
import gzip
import lzma
import math
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from imago.core import files, paths
from imago.core.errors import DataError
from imago.core.tars import BLOCK_BYTES
from imago.datasets.image_folder.archive import (
    Archive,
    Limits,
    check_names_differ,
    check_totals,
    fault_in_name,
    shown,
    tidied,
)

GZIP, XZ, BZIP2 = b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh"
"""First bytes of what a tar may be compressed with."""
_XZ_MEMORY_BYTES = 2**28
"""Of its dictionary, which the sender chooses; `xz -9` takes a quarter."""
_PART_BYTES = 2**20
_LONG_NAME_BYTES = 2**16
"""Of a header that extends another one."""
_DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_SPECIAL_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.BLKTYPE: "a block device",
    tarfile.CHRTYPE: "a character device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a file with holes",
}
_PASSED_OVER = (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK)


class _Entry(NamedTuple):
    """A file or a folder: where its content begins in the tar, and how long it is."""

    name: str
    is_folder: bool
    start: int
    size: int


@contextlib.contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Archive]:
    """Open a tar whose headers keep the rules.

    Raises:
        DataError: It is no whole tar, or its headers break a rule.
    """
    with _plain(path, limits) as file:
        entries = list(_entries(path, file, limits))
        names = [f"{entry.name}/" if entry.is_folder else entry.name for entry in entries]
        for name in names:
            if fault := fault_in_name(name, limits):
                message = f"{path}: {shown(name)}: {fault}"
                raise DataError(message)
        packed = path.stat().st_size
        check_totals(str(path), packed, [entry.size for entry in entries], limits)
        check_names_differ(str(path), names)
        by_name = {tidied(name): entry for name, entry in zip(names, entries, strict=True)}
        yield Archive(
            files=sorted(name for name in by_name if not name.endswith("/")),
            folders=sorted(name for name in by_name if name.endswith("/") and name != "./"),
            read=functools.partial(_read, path, file.fileno(), by_name),
        )


def is_tar(head: bytes) -> bool:
    """Tell a plain tar by its first block."""
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK_BYTES], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _read(path: Path, descriptor: int, entries: dict[str, _Entry], name: str) -> bytes:
    entry = entries[name]
    content = os.pread(descriptor, entry.size, entry.start)
    if len(content) != entry.size:  # as of a file that another process has cut off since
        message = (
            f"{path}: {shown(name)}: must have {entry.size:,} bytes, as its header says, got "
            f"{len(content):,}; get the tar anew"
        )
        raise DataError(message)
    return content


@contextlib.contextmanager
def _plain(path: Path, limits: Limits) -> Iterator[IO[bytes]]:
    """Yield a tar that is not compressed: the file itself, or a temporary one without a name."""
    with path.open("rb") as file:
        head = file.read(BLOCK_BYTES)
        if not head.startswith((GZIP, XZ, BZIP2)):
            file.seek(0)
            yield file
            return
    paths.WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=paths.WORK) as unpacked:
        greatest, size = limits.whole.unpacked_bytes(path.stat().st_size), 0
        with files.naming_full_disk(paths.WORK):
            for part in _unpacked(path, head):
                size += len(part)
                if size > greatest:
                    check_totals(str(path), path.stat().st_size, [size], limits)
                unpacked.write(part)
            unpacked.seek(0)
        yield unpacked


def _unpacked(path: Path, head: bytes) -> Iterator[bytes]:
    """Yield what a file holds, in parts. Raises DataError where it is damaged."""
    try:
        with path.open("rb") as file:
            if head.startswith(XZ):
                yield from _unpacked_xz(file)
                return
            with (gzip if head.startswith(GZIP) else bz2).open(file) as stream:
                yield from iter(functools.partial(stream.read, _PART_BYTES), b"")
    except _DAMAGE as error:
        message = f"{path}: must be a whole archive: {error}; get it anew"
        raise DataError(message) from error


def _unpacked_xz(file: IO[bytes]) -> Iterator[bytes]:
    part = file.read(_PART_BYTES)
    while part:  # a file may hold several streams, one behind the other
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY_BYTES)
        while not stream.eof:
            if stream.needs_input and not part:
                message = "its data end early"
                raise EOFError(message)
            yield stream.decompress(part, _PART_BYTES)
            part = file.read(_PART_BYTES) if stream.needs_input else b""
        part = (stream.unused_data or file.read(_PART_BYTES)).lstrip(b"\0")


def _entries(path: Path, file: IO[bytes], limits: Limits) -> Iterator[_Entry]:
    end = os.fstat(file.fileno()).st_size
    named: dict[str, str] = {}  # by the headers before that of the file
    for _ in range(limits.members + 1):
        header = file.read(BLOCK_BYTES)
        if not header.strip(b"\0"):
            return
        entry = _header(path, header)
        size = int(named.get("size", entry.size))
        start = file.tell()
        name = named.get("path", entry.name)
        if not 0 <= size <= end - start or size > limits.member_bytes:
            left = min(end - start, limits.member_bytes)
            message = f"{path}: {shown(name)}: must have 0 to {left:,} bytes, got {size:,}; "
            message += "get the archive anew, or leave it out"
            raise DataError(message)
        if entry.type in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
            named |= _extension(path, entry, file.read(min(size, _LONG_NAME_BYTES + 1)))
        elif entry.type not in _PASSED_OVER:
            if entry.type not in (*_FILES, tarfile.DIRTYPE):
                kind = _SPECIAL_KINDS.get(entry.type, f"one of kind {entry.type!r}")
                message = f"{path}: {shown(name)}: must be a file or a folder, got {kind}; "
                message += "leave it out"
                raise DataError(message)
            is_folder = entry.type == tarfile.DIRTYPE or name.endswith("/")
            yield _Entry(_decoded(name).rstrip("/"), is_folder, start, size)
            named = {}
        file.seek(start + math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES)
    message = f"{path}: must have at most {limits.members:,} members, got more; split it"
    raise DataError(message)


def _header(path: Path, header: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        message = f"{path}: must be a whole tar: {error}; get it anew"
        raise DataError(message) from error


def _extension(path: Path, entry: tarfile.TarInfo, content: bytes) -> dict[str, str]:
    """Return what a header says of the one behind it: its path and, of some, its size."""
    if len(content) > _LONG_NAME_BYTES:
        message = f"{path}: a name must have at most {_LONG_NAME_BYTES:,} bytes, got more; "
        message += "get the archive anew"
        raise DataError(message)
    if entry.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": content.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    found = {}
    while content:  # records such as `18 path=cat/1.jpg` and a new line
        length = content.partition(b" ")[0]
        count = int(length) if length.isdigit() and len(length) < 6 else 0
        key, _, value = content[len(length) + 1 : count - 1].partition(b"=")
        if not key:
            break
        if key == b"path" or (key == b"size" and value.isdigit() and len(value) < 20):
            found[key.decode()] = value.decode("utf-8", "surrogateescape")
        content = content[count:]
    return found


def _decoded(name: str) -> str:
    """Return a name that is not UTF-8 as Latin 1, the commonest of what it may be."""
    raw = name.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
