"""Packages that hold wanted files: found in them by digest, since packages use names of their own.

Nothing is installed, and nothing that a package brings is run.
"""

import contextlib
import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from imago.core import paths, sections, tars
from imago.core.digests import algorithm
from imago.core.errors import SourceError
from imago.sources import store

DAMAGE = (
    *store.GZIP_DAMAGE,
    tarfile.HeaderError,
    zipfile.BadZipFile,
    NotImplementedError,  # a version of zip, or a patch, that Python does not know
    ValueError,  # a number or a name that cannot be
)


def keep_members(
    package: Path,
    digests: Collection[str],
    limits: sections.Limits = sections.DEFAULT_LIMITS,
) -> set[str]:
    """Keep the members of a wheel, sdist or zip that have a wanted digest, plain or gzipped.

    Returns:
        The digests that were found.

    Raises:
        SourceError: The package is damaged, neither zip nor tar, or unpacks to more than the
            limits allow.
    """
    try:
        if zipfile.is_zipfile(package):
            with zipfile.ZipFile(package) as archive:
                members = _in_zip(archive, limits.unpacked_bytes(package.stat().st_size))
                return keep_wanted(members, digests, limits)
        with _untarred(package, limits) as (tar, greatest_bytes):
            return keep_wanted(_in_tar(tar, greatest_bytes), digests, limits)
    except DAMAGE as error:
        message = f"the package is damaged or of no known kind: {error}"
        raise SourceError(message) from error


def keep_tree(
    folder: Path,
    digests: Collection[str],
    limits: sections.Limits = sections.DEFAULT_LIMITS,
) -> set[str]:
    """Keep the files below a folder that have a wanted digest, plain or gzipped."""
    return keep_wanted(
        (
            store.opener(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        ),
        digests,
        limits,
    )


def keep_wanted(
    openers: Iterable[store.Opener], digests: Collection[str], limits: sections.Limits
) -> set[str]:
    """Keep the files that have a wanted digest, plain or gzipped; return the digests found."""
    found: set[str] = set()
    of_each_kind = {algorithm(digest): digest for digest in digests}.values()
    for opener in openers:
        for like in of_each_kind:
            for digest, content in store.contents(opener, limits, like):
                if digest in digests and digest not in found:
                    store.keep(content, digest)
                    found.add(digest)
    return found


def _in_zip(archive: zipfile.ZipFile, greatest_bytes: int) -> Iterator[store.Opener]:
    """Yield the files; zipfile itself reads no more of one than its directory says."""
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if (total := sum(member.file_size for member in members)) > greatest_bytes:
        message = f"the package must unpack to at most {greatest_bytes:,} bytes, got {total:,}"
        raise store.TooLargeError(message)
    for member in members:
        if not 0 <= member.header_offset < archive.start_dir:
            message = f"{member.filename!r} does not lie in it"
            raise zipfile.BadZipFile(message)
        if member.flag_bits & 0x1:
            message = f"{member.filename!r} is encrypted"
            raise zipfile.BadZipFile(message)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            message = f"{member.filename!r} has compression method {member.compress_type}"
            raise zipfile.BadZipFile(message)
        yield partial(archive.open, member)


@contextlib.contextmanager
def _untarred(package: Path, limits: sections.Limits) -> Iterator[tuple[IO[bytes], int]]:
    """Yield a tar out of its gzip, and how long it may be: members are read more than once."""
    greatest_bytes = limits.unpacked_bytes(package.stat().st_size)
    paths.downloads().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=paths.downloads()) as tar:
        with store.gunzipped(store.opener(package), limits)() as content:
            shutil.copyfileobj(content, tar)
        tar.seek(0)
        yield cast("IO[bytes]", tar), greatest_bytes


def _in_tar(tar: IO[bytes], greatest_bytes: int) -> Iterator[store.Opener]:
    for member in tars.regular_files(tar, greatest_bytes):
        begin = tar.tell()
        yield partial(_opened, tar, begin, begin + member.size)


@contextlib.contextmanager
def _opened(tar: IO[bytes], begin: int, end: int) -> Iterator[IO[bytes]]:
    yield cast("IO[bytes]", io.BufferedReader(_Slice(tar, begin, end)))


class _Slice(io.RawIOBase):
    """The bytes of a file from `begin` to `end`; it must have them all."""

    def __init__(self, file: IO[bytes], begin: int, end: int) -> None:
        self._file, self._position, self._end = file, begin, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._position)
        content = self._file.read(min(len(buffer), self._end - self._position))
        if not content and self._position < self._end:
            message = "a member ends early"
            raise EOFError(message)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)
