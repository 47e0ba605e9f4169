"""What visitors send, checked against the limits and decoded in memory."""

import threading
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app import limits
from imago.photos import decoding, jpeg

Fault = Literal["empty", "too_large", "too_many_pixels", "too_complex", "unreadable"]

DECODING = threading.BoundedSemaphore(limits.DECODING_THREADS)
"""Held while a large image is: decoded, and until it is of a model's size."""


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
    if jpeg.scans(content, limits.JPEG_SEGMENTS) > limits.JPEG_SCANS:
        reason = f"a JPEG of more than {limits.JPEG_SCANS} scans or {limits.JPEG_SEGMENTS} segments"
        return Rejected(name, "too_complex", reason)
    try:
        return Photo(name, decoding.decode(content, limits.PIXELS))
    except decoding.UnreadableError as error:
        reason = str(error)
        too_many = reason.startswith(decoding.TOO_MANY_PIXELS)
        return Rejected(name, "too_many_pixels" if too_many else "unreadable", reason)


def shown(name: str) -> str:
    """Make a file's name fit to be shown: no folders, no control characters, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip()
    if len(plain) > limits.NAME_CHARACTERS:
        plain = f"{plain[: limits.NAME_CHARACTERS - 1]}…"
    return plain or "?"
