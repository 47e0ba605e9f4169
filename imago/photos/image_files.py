"""Image files on disk, of which only regular ones of a bounded size are read."""

import os
import stat
from pathlib import Path

from imago.photos.decoding import UnreadableError

GREATEST_BYTES = 1_000_000_000
"""Of an image file: 100 megapixels of four channels of 16 bits, not compressed, have 800 MB."""


def read(path: str | Path) -> bytes:
    """Return the bytes of an image file.

    Raises:
        UnreadableError: It is none that can be an image: a pipe, a device, too large.
        OSError: It cannot be read.
    """
    if "\0" in os.fspath(path):
        reason = "no path, for it has a zero byte in it"
        raise UnreadableError(reason)
    # Without waiting, for opening a pipe waits until somebody writes to it.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123 - a descriptor
        found = os.fstat(file.fileno())
        if stat.S_ISDIR(found.st_mode):
            reason = "a folder, not an image file"
            raise UnreadableError(reason)
        if not stat.S_ISREG(found.st_mode):
            reason = "not a regular file, but a pipe, a socket or a device"
            raise UnreadableError(reason)
        if found.st_size > GREATEST_BYTES:
            reason = f"{found.st_size:,} bytes, more than {GREATEST_BYTES:,}"
            raise UnreadableError(reason)
        return file.read(GREATEST_BYTES)
