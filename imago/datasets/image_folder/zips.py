"""Zip files of unknown origin.

A directory that lies is an error when the member that it lies about is read.
"""

import contextlib
import functools
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from imago.core.errors import DataError
from imago.datasets.image_folder.archive import (
    Archive,
    Limits,
    check_names_differ,
    check_totals,
    fault_in_name,
    shown,
    tidied,
)

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20
_UTF8 = 0x800
"""Flags. Source of these and of the header: PKWARE, APPNOTE.TXT 6.3.10, sections 4.4.4, 4.3.7."""
_LEAST_HEADER_BYTES = 30
"""Before the data of each member."""
_UNICODE_PATH = 0x7075
"""The extra field with a name in UTF-8. Source: the same, section 4.6.9."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What nearly all zips use; zipfile does not bound the memory that others unpack to."""
_SPECIAL_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}

_MEMBER = np.dtype(
    [
        ("header_offset", np.uint64),
        ("compress_size", np.uint64),
        ("file_size", np.uint64),
        ("CRC", np.uint32),
        ("flag_bits", np.uint16),
        ("compress_type", np.uint16),
    ]
)
"""Attributes of a ZipInfo."""

DAMAGE = (
    EOFError,
    NotImplementedError,  # a version of zip, or a patch, that Python does not know
    OverflowError,  # a place in the file that no file has
    ValueError,  # the same, or a name that is not in its encoding
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile raises over what is no whole zip."""


@contextlib.contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Archive]:
    """Open a zip file whose directory keeps the rules.

    Raises:
        DataError: It is not a whole zip file, or its directory breaks a rule.
    """
    with path.open("rb") as file, _opened(path, file) as archive:
        directory = _checked(path, archive, limits)
        # What zipfile keeps of each member is a third of what a photo takes in all.
        archive.infolist().clear()
        archive.NameToInfo.clear()
        yield Archive(
            files=sorted(name for name in directory.row_of if not name.endswith("/")),
            folders=sorted(name for name in directory.row_of if name.endswith("/")),
            read=functools.partial(_read, archive, directory),
        )


def _checked(path: Path, archive: ZipFile, limits: Limits) -> "_Directory":
    members = [(_name(member), member) for member in archive.infolist()]
    for name, member in members:
        if fault := fault_in_name(name, limits) or _fault_in_content(member, limits):
            message = f"{path}: {shown(name)}: {fault}"
            raise DataError(message)
    sizes = [member.file_size for _, member in members]
    check_totals(str(path), path.stat().st_size, sizes, limits)
    check_names_differ(str(path), [name for name, _ in members])
    _check_data_are_apart(path, archive)
    names = [tidied(name) for name, _ in members]
    return _Directory.of([member for _, member in members], names)


@dataclass(frozen=True)
class _Directory:
    """What reading N members takes.

    Attributes:
        row_of: Each name: its position below.
        names: N, as they are packed.
        members: (N,) of _MEMBER.
    """

    row_of: dict[str, int]
    names: list[str]
    members: NDArray[np.void]

    @classmethod
    def of(cls, members: Sequence[ZipInfo], names: Iterable[str]) -> Self:
        fields = _MEMBER.names or ()
        rows = (tuple(getattr(member, field) for field in fields) for member in members)
        return cls(
            {name: row for row, name in enumerate(names)},
            [member.orig_filename for member in members],
            np.fromiter(rows, _MEMBER, len(members)),
        )

    def __getitem__(self, name: str) -> ZipInfo:
        row = self.row_of[name]
        member = ZipInfo(self.names[row])
        for field in _MEMBER.names or ():
            setattr(member, field, int(self.members[row][field]))
        return member


def _read(archive: ZipFile, directory: _Directory, name: str) -> bytes:
    member = directory[name]
    try:
        with archive.open(member) as stream:
            content = stream.read(member.file_size + 1)  # and not all that there may be
    except DAMAGE as error:
        reason = str(error) or "its data end early"
        message = f"{archive.filename}: {shown(name)}: must be whole: {reason}; get the zip anew"
        raise DataError(message) from error
    if len(content) != member.file_size:
        message = (
            f"{archive.filename}: {shown(name)}: must unpack to {member.file_size:,} bytes, as "
            f"the directory says, got {len(content):,}; get the zip anew"
        )
        raise DataError(message)
    return content


def _opened(path: Path, file: BinaryIO) -> ZipFile:
    try:
        return ZipFile(file)
    except DAMAGE as error:
        message = f"{path}: must be a whole zip file: {error}; get it anew"
        raise DataError(message) from error


def _name(member: ZipInfo) -> str:
    """Return a member's name, which zipfile takes for the letters of DOS where no flag says UTF-8.

    macOS sets no flag, and some programs name the true letters in a field beside.
    """
    name = member.orig_filename  # zipfile's own ends at a zero byte
    if member.flag_bits & _UTF8:
        return name
    raw = name.encode("cp437")
    if found := _unicode_path(member.extra, raw):
        return found
    if name.isascii():  # no second text, for an archive's names take much of its memory
        return name
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return name


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Return the name in the extra field, if it is there and belongs to the name as packed."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and field[:5] == struct.pack("<BI", 1, zlib.crc32(raw)):
            with contextlib.suppress(UnicodeDecodeError):
                return field[5:].decode() or None
    return None


def _fault_in_content(member: ZipInfo, limits: Limits) -> str | None:
    packed, unpacked = member.compress_size, member.file_size
    if kind := _SPECIAL_KINDS.get(stat.S_IFMT(member.external_attr >> 16)):
        return f"must be a file or a folder, got {kind}; leave it out"
    if member.flag_bits & _ENCRYPTED:
        return "must not be encrypted; pack the folder anew, without a password"
    if member.compress_type not in _COMPRESSIONS or member.flag_bits & _PATCHED:
        return (
            f"must be stored or deflated, got compression method {member.compress_type}; "
            "pack the folder anew"
        )
    if member.compress_type == zipfile.ZIP_STORED and packed != unpacked:
        return f"must be {packed:,} bytes long as it is stored, got {unpacked:,}; get the zip anew"
    if unpacked > limits.member_bytes:
        return (
            f"must unpack to at most {limits.member_bytes:,} bytes, got {unpacked:,}; leave it out"
        )
    if unpacked > max(limits.ratio_from_bytes, limits.ratio * packed):
        return (
            f"must unpack to at most {limits.ratio:g} times its {packed:,} bytes, got "
            f"{unpacked:,}; leave it out"
        )
    return None


def _check_data_are_apart(path: Path, archive: ZipFile) -> None:
    """Check that no bytes are the data of two members, as in some zip bombs, or lie outside."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    starts = [member.header_offset for member in members]
    for member, limit in zip(members, [*starts, archive.start_dir][1:], strict=True):
        start = member.header_offset
        end = start + _LEAST_HEADER_BYTES + member.compress_size
        if start < 0 or end > limit:
            message = (
                f"{path}: {shown(_name(member))}: data must lie between bytes 0 and {limit:,}, "
                f"where the next begin, got {start:,} to {end:,}; get the zip anew"
            )
            raise DataError(message)
