"""What visitors send, checked against the limits and decoded in memory."""

import math
import threading
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app import limits
from imago.photos import decoding

Fault = Literal["empty", "too_large", "too_many_pixels", "too_complex", "unreadable"]

DECODING = threading.BoundedSemaphore(limits.DECODING_THREADS)
"""Held while a large image is: decoded, and until it is of a model's size."""
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
    """Decode a file, or say why not; never raises for what a file holds. To be called in DECODING.

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
    if jpeg_scans(content) > limits.JPEG_SCANS:
        reason = f"a JPEG of more than {limits.JPEG_SCANS} scans or {limits.JPEG_SEGMENTS} segments"
        return Rejected(name, "too_complex", reason)
    try:
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


def jpeg_scans(content: bytes) -> float:
    """Count the scans of a JPEG's first image; 0 for what is none.

    What stands in segments before, such as an embedded thumbnail, or after the image's end is
    not counted. Infinitely many where there are more than JPEG_SEGMENTS segments before.
    """
    if not content.startswith(b"\xff\xd8"):
        return 0
    position = 2
    for _ in range(limits.JPEG_SEGMENTS):
        start = content.find(b"\xff", position)
        marker = content[start + 1 : start + 2] if start >= 0 else b""
        if marker == _SCAN[1:]:
            end = content.find(_END_OF_IMAGE, start)
            return content.count(_SCAN, start, end if end >= 0 else len(content))
        if not marker:
            return 0
        if marker == b"\xff":  # fills
            position = start + 1
        elif marker[0] in _WITHOUT_LENGTH:
            position = start + 2
        else:
            position = start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
    return math.inf
