"""What visitors send, checked against the limits and decoded in memory."""

import struct
import threading
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app import limits
from imago.photos import decoding

Fault = Literal["empty", "too_large", "too_many_pixels", "too_many_scans", "unreadable"]

_DECODERS = threading.BoundedSemaphore(limits.DECODING_THREADS)
_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers that stand alone. Source: ITU-T T.81 (1992), table B.1."""


@dataclass(frozen=True)
class Photo:
    """An image that a visitor sent.

    Attributes:
        pixels: (H, W, 3) uint8, RGB, 0-255, upright.
    """

    name: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Rejected:
    """A file that is no image, or not one that is taken.

    Attributes:
        reason: In English, for programs and for those who want to know.
    """

    name: str
    fault: Fault
    reason: str


def examine(name: str, content: bytes) -> Photo | Rejected:
    """Decode a file, or say why not; never raises for what a file holds.

    Args:
        name: As the visitor's computer says; only shown.
        content: The whole file.
    """
    name = shown(name)
    if not content:
        return Rejected(name, "empty", "the file is empty")
    if len(content) > limits.IMAGE_BYTES:
        reason = f"{len(content):,} bytes, more than {limits.IMAGE_BYTES:,}"
        return Rejected(name, "too_large", reason)
    if (scans := jpeg_scans(content)) > limits.JPEG_SCANS:
        reason = f"a JPEG of {scans:,} scans, more than {limits.JPEG_SCANS:,}"
        return Rejected(name, "too_many_scans", reason)
    try:
        with _DECODERS:
            return Photo(name, decoding.decode(content, limits.PIXELS))
    except decoding.UnreadableError as error:
        reason = str(error)
        too_many = reason.startswith("too many pixels")
        return Rejected(name, "too_many_pixels" if too_many else "unreadable", reason)


def shown(name: str) -> str:
    """Make a file's name fit to be shown: no folders, no control characters, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip()
    if len(plain) > limits.NAME_CHARACTERS:
        plain = f"{plain[: limits.NAME_CHARACTERS - 1]}…"
    return plain or "?"


def jpeg_scans(content: bytes) -> int:
    """Count the scans of a JPEG's first image; 0 for what is none.

    What stands in segments before, such as an embedded thumbnail, or after the image's end is
    not counted.
    """
    first = _first_scan(content)
    if first is None:
        return 0
    end = content.find(_END_OF_IMAGE, first)
    return content.count(_SCAN, first, end if end >= 0 else len(content))


def _first_scan(content: bytes) -> int | None:
    if not content.startswith(b"\xff\xd8"):
        return None
    position = 2
    try:
        while True:
            prefix, marker = struct.unpack_from(">BB", content, position)
            if prefix != 0xFF or marker == 0xFF:  # fill bytes
                position += 1
            elif marker == _SCAN[1]:
                return position
            elif marker in _WITHOUT_LENGTH:
                position += 2
            else:
                (length,) = struct.unpack_from(">H", content, position + 2)
                position += 2 + length
    except struct.error:
        return None
