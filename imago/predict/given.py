"""The images that a command line names: files, folders, globs, URLs, standard input."""

import codecs
import functools
import glob
import io
import os
import select
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from imago.core import photo_names, photo_walk
from imago.core.errors import DataError, ImageError
from imago.photos import image_files

STDIN = "-"
GREATEST_BYTES = 100_000_000
"""Of an image that comes from elsewhere: from the network or through a pipe."""
LONGEST_LINE = 65_536
"""Of a list of images, in characters; file systems take names of 4,096 bytes."""
PATIENCE_S = 10.0
"""For somebody to write to a pipe that is named as a list."""
TIMEOUT_S = (10.0, 30.0)
"""For a connection, and between two parts of an answer."""
LONGEST_MINUTES = 5
"""For an image to come from the network, with all attempts."""
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)

LeftOut = dict[str, str]
"""Path of a file or folder: why it is left out."""


@dataclass(frozen=True)
class Given:
    """An image that was asked about.

    Attributes:
        name: As the user would say it: its path or URL, or `-`.
        read: Gives its bytes, in any thread. Raises ImageError, UnreadableError, OSError.
    """

    name: str
    read: Callable[[], bytes]


def expand(words: Iterable[str], left_out: LeftOut | None = None) -> Iterator[Given]:
    """Find the images that words of a command line name, in their order.

    Args:
        words: Each a file; a folder, of which every image in it and below is taken, by name, also
            where links to folders lead; a pattern with *, ? or **; an http(s) URL; or `-`, the
            bytes of an image on standard input.
        left_out: Gets the path of each file and folder in a folder that is no image by its name,
            and why.

    Yields:
        The images; for a word that names none, a folder that cannot be read, and a photo of a kind
        that is not read, one that cannot be read.
    """
    left_out = {} if left_out is None else left_out
    for word in words:
        if "\0" in word:
            reason = (
                "a name cannot hold the character NUL; a list must be UTF-8, with a name a line"
            )
            yield _refused(word, f"{reason}: an image is given without --from")
        elif word == STDIN:
            yield Given(word, _read_stdin)
        elif word.lower().startswith(("http://", "https://")):
            yield Given(word, functools.partial(_download, word))
        elif os.path.isdir(word):  # noqa: PTH112 - a Path would lose a leading ./
            yield from _or_refused(_in_folder(word, left_out), word, "holds no images")
        elif os.path.exists(word) or not glob.has_magic(word):  # noqa: PTH110
            yield _file(word)
        else:
            found = sorted(glob.iglob(word, recursive=True))  # noqa: PTH207
            given = len(Path(word.partition("**")[0]).parts)
            files = (
                _file(path)
                for path in found
                if not os.path.isdir(path) and not _is_in_loop(Path(path).parent, given)  # noqa: PTH112
            )
            yield from _or_refused(files, word, "matches no files")


def lines(path: str) -> Iterator[str]:
    """Yield the lines of a file, or of standard input for `-`, that are not empty.

    It is UTF-8, or UTF-16 where it begins with its mark, as Windows writes lists. Bytes that are
    no UTF-8 stay as they are, for names of files may hold such.
    With the first character NUL it ends, as in an image that is given in place of a list of them.
    """
    file = cast("io.BufferedReader", sys.stdin.buffer) if path == STDIN else _opened(Path(path))
    is_utf16 = file.peek(2).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding, errors = ("utf-16", "replace") if is_utf16 else ("utf-8-sig", "surrogateescape")
    with io.TextIOWrapper(file, encoding, errors) as text:
        while line := text.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                message = f"{path}: a line must have at most {LONGEST_LINE:,} characters, got more"
                raise DataError(message)
            if "\0" in line:  # it is no list, and no line of it is a name
                yield line[: line.index("\0") + 1]
                return
            if stripped := line.rstrip("\r\n"):
                yield stripped


def _opened(path: Path) -> io.BufferedReader:
    """Open a list; of a named pipe to which nobody writes DataError, not a wait without end."""
    if path.is_dir():
        message = f"{path}: must be a list of images, got a folder; give it without --from"
        raise DataError(message)
    if not path.exists():
        message = f"{path}: not found; --from is a file with the path of an image on each line"
        raise DataError(message)
    file = open(os.open(path, os.O_RDONLY | _WITHOUT_WAITING), "rb")  # noqa: PTH123, SIM115
    if _WITHOUT_WAITING:
        is_named_pipe = path.resolve().is_fifo()  # what a shell makes of <(…) has no such name
        if is_named_pipe and not select.select([file], [], [], PATIENCE_S)[0]:
            file.close()
            message = f"{path}: must be a list of images, got a pipe that nobody writes to"
            raise DataError(message)
        os.set_blocking(file.fileno(), True)
    return file


def _file(path: str) -> Given:
    return Given(path, functools.partial(image_files.read, path))


@functools.lru_cache(4096)
def _is_in_loop(folder: Path, given: int) -> bool:
    """Tell whether ** went through a link to a folder around it, behind so many parts as given."""
    found = [one for one in (folder, *folder.parents) if len(one.parts) > given]
    links = [one for one in found if one.is_symlink()]
    return any(one.parent.resolve().is_relative_to(one.resolve()) for one in links)


def _in_folder(folder: str, left_out: LeftOut) -> Iterator[Given]:
    failed: list[OSError] = []
    for below, reason in photo_walk.files(folder, failed.append):
        path = os.path.join(folder, below)  # noqa: PTH118
        if reason is None and not below.endswith("/"):
            yield _file(path)
        elif reason and reason.startswith(photo_names.UNREAD):
            yield _refused(path, f"{reason}; convert it to JPEG")
        elif reason:
            left_out[path.removesuffix("/")] = reason
    for error in failed:
        yield _refused(str(error.filename), error.strerror or str(error))


def _or_refused(found: Iterator[Given], word: str, reason: str) -> Iterator[Given]:
    yield next(found, None) or _refused(word, reason)
    yield from found


def _refused(word: str, reason: str) -> Given:
    def refuse() -> bytes:
        message = f"{word}: {reason}"
        raise ImageError(message)

    return Given(word, refuse)


def _read_stdin() -> bytes:
    return _bounded([sys.stdin.buffer.read(GREATEST_BYTES + 1)], "standard input")


def _download(url: str) -> bytes:
    from imago.sources import retries, transport  # a fifth of a second that few need

    bounds = transport.Bounds(
        greatest_bytes=2 * GREATEST_BYTES + transport.HEADERS_BYTES,  # the body is counted below
        least_bytes_per_s=0,
        deadline_s=time.monotonic() + 60 * LONGEST_MINUTES,
        longest=f"{LONGEST_MINUTES} minutes",
    )

    def receive() -> bytes:
        with (
            transport.session(bounds) as session,
            session.get(url, stream=True, timeout=TIMEOUT_S) as response,
        ):
            response.raise_for_status()
            return _bounded(response.iter_content(2**16), url)

    try:
        return retries.patiently(receive, url)
    except retries.TransferError as error:
        message = f"{url}: {error}"
        raise ImageError(message) from error


def _bounded(parts: Iterable[bytes], name: str) -> bytes:
    content = bytearray()
    for part in parts:
        content += part
        if len(content) > GREATEST_BYTES:
            message = f"{name}: must have at most {GREATEST_BYTES:,} bytes, got more"
            raise ImageError(message)
    return bytes(content)
