"""Verified files, kept under the digest of their content in the folder of downloads.

DVC deletes a stage's folder before it runs the stage; what is kept here need not be fetched again.
Whatever a source wraps a file in, only the bytes with the wanted digest get in. A file whose
publisher gives no digest gets in on its name.
"""

import contextlib
import gzip
import io
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from imago.core import digests, files, paths, sections
from imago.core.errors import SourceError

log = logging.getLogger(__name__)

Opener = Callable[[], AbstractContextManager[IO[bytes]]]
"""Opens a file, or a member of an archive, from its start."""

BLOCK_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
GZIP_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)


class DamagedError(SourceError):
    """The bytes are not whole."""


class TooLargeError(SourceError):
    """What is unpacked has more bytes than it may."""


class WrongDigestError(SourceError):
    """The bytes are not the ones that are wanted."""


def kept(digest: str) -> Path:
    """Where the content with this digest is kept."""
    return paths.downloads() / digest.replace(":", "-")


def find(digest: str) -> Path | None:
    """Return the kept file, verified anew; a damaged one is removed, and None returned."""
    path = kept(digest)
    if not path.is_file():
        return None
    if digest_of(opener(path), digest) == digest:
        return path
    log.warning("%s: damaged since it was kept; removed", path)
    path.unlink()
    return None


def opener(path: Path) -> Opener:
    """Return what opens the file at `path`."""
    return lambda: path.open("rb")


def digest_of(source: Opener, like: str = "") -> str:
    """Compute the digest of a file, as `like` is one; else its sha256."""
    with source() as stream:
        return digests.of(stream, like)


def contents(
    source: Opener, limits: sections.Limits, like: str = ""
) -> Iterator[tuple[str, Opener]]:
    """Yield the digest of a file as it is, then of what its gzip holds, if it is a sound gzip.

    The digests are as `like` is one; else sha256. Nothing is written, so a small gzip of endless
    zeros cannot fill the disk.

    Raises:
        TooLargeError: The gzip holds more than the limits allow.
    """
    yield digest_of(source, like), source
    if _is_gzip(source):
        peeled = gunzipped(source, limits)
        with contextlib.suppress(*GZIP_DAMAGE):
            yield digest_of(peeled, like), peeled


def admit(
    source: Opener, digest: str | None, limits: sections.Limits = sections.DEFAULT_LIMITS
) -> str:
    """Keep a file whose content, as it is or out of its gzip, has the digest.

    Args:
        source: Opens the file.
        digest: None where it is not published: what is there is trusted, out of its gzip if it is
            one.
        limits: On what comes out of a gzip.

    Returns:
        The digest of what is kept.

    Raises:
        TooLargeError: The file is a gzip that holds more than the limits allow.
        DamagedError: No digest is given, and the file is a gzip that is damaged.
        WrongDigestError: Neither has the digest; the message gives the one that was found.
    """
    if digest is None:
        return _trust(source, limits)
    found = ""
    for found, content in contents(source, limits, digest):
        if found == digest:
            keep(content, digest)
            return digest
    message = f"{digests.said(found)}, must be {digest.removeprefix(digests.MD5)}"
    raise WrongDigestError(message)


def take(path: Path, digest: str | None, limits: sections.Limits = sections.DEFAULT_LIMITS) -> str:
    """Keep a file as `admit` does, moving it where it need not be unwrapped: it is ours."""
    if digest is None or digest_of(opener(path), digest) != digest:
        return admit(opener(path), digest, limits)
    path.replace(kept(digest))
    return digest


def keep(source: Opener, digest: str) -> None:
    """Copy a file that has the digest; what was written is what is verified.

    Raises:
        WrongDigestError: The file changed while it was copied.
    """
    with files.replacing(kept(digest)) as temporary:
        with source() as stream, temporary.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        found = digest_of(opener(temporary), digest)
        if found != digest:
            message = f"changed while it was read: {digests.said(found)}, must be {digest}"
            raise WrongDigestError(message)


def place(digest: str, target: Path) -> None:
    """Put the kept file at `target`, without a second copy where the disk allows a hard link."""
    try:
        os.link(kept(digest), target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(kept(digest), target)


def gunzipped(source: Opener, limits: sections.Limits) -> Opener:
    """Return what opens the content of a gzip; reading more than it may hold is TooLargeError."""
    with source() as stream:
        packed_bytes = sum(len(block) for block in iter(partial(stream.read, BLOCK_BYTES), b""))
    return partial(_gunzipped, source, limits.unpacked_bytes(packed_bytes))


class _Bounded(io.RawIOBase):
    def __init__(self, stream: gzip.GzipFile, greatest_bytes: int) -> None:
        self._stream, self._greatest_bytes = stream, greatest_bytes
        self._bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._bytes += len(content)
        if self._bytes > self._greatest_bytes:
            message = (
                f"unpacks to more than {self._greatest_bytes:,} bytes, which limits.unpacked_gb or "
                "limits.unpacked_ratio of params.yaml bounds"
            )
            raise TooLargeError(message)
        return len(content)


def _trust(source: Opener, limits: sections.Limits) -> str:
    content = gunzipped(source, limits) if _is_gzip(source) else source
    try:
        digest = digest_of(content)
    except GZIP_DAMAGE as error:
        message = f"is a damaged gzip: {error}"
        raise DamagedError(message) from error
    keep(content, digest)
    return digest


def _is_gzip(source: Opener) -> bool:
    with source() as stream:
        return stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC


@contextlib.contextmanager
def _gunzipped(source: Opener, greatest_bytes: int) -> Iterator[IO[bytes]]:
    with source() as stream, gzip.GzipFile(fileobj=stream) as content:
        yield cast("IO[bytes]", io.BufferedReader(_Bounded(content, greatest_bytes)))
