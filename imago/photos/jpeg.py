"""JPEG by libjpeg-turbo, which gives the pixels that Pillow gives, sooner.

It also tells of damage that Pillow fills with grey, and decodes at smaller scales, at each of which
it still reads every code, so that damage is found at any of them.
"""

import math
import re
import struct
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from imago.photos.unreadable import UnreadableError

START = b"\xff\xd8"
SCALES = (8, 4, 2)
"""Decoding so many times smaller is sooner than decoding whole; of other scales none is."""
LEFT = 2
"""So many times larger than what is made of it a photo stays, at least: of a photo of 12
megapixels at 224 px, pixels then differ from those by way of the whole by 0.3 levels of 255."""

_METADATA = (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0")
"""Begin the segments that may say how a photo is turned: EXIF and XMP."""
_DAMAGE = "Corrupt JPEG data"
"""Begins what libjpeg says of pixels that it has to make up."""
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_SCAN_HEADER, _MARKER_BYTES = _SCAN[1], len(_SCAN)
_FILL = 0xFF
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_NOT_IN_SCANS = re.compile(rb"\xff[^\x00\xff\xc4\xd0-\xd7\xda-\xdd\xe0-\xef\xfe]")
"""Markers other than those that stand in or between scans, of which the first should be the end of
the image. Source of all markers: ITU-T T.81 (1992), table B.1."""


@dataclass(frozen=True)
class Frame:
    """What the headers of a JPEG say.

    Attributes:
        width: In pixels, as stored.
        height: In pixels, as stored.
        components: Of its colours.
        scan: Position of the first scan's header in the file.
        may_turn: Whether metadata may say how it is to be turned.
    """

    width: int
    height: int
    components: int
    scan: int
    may_turn: bool


def read_frame(content: bytes) -> Frame | None:
    """Read the headers up to the first scan; None where they are out of order."""
    position, size = len(START), None
    try:
        while True:
            prefix, marker, length = struct.unpack_from(">BBH", content, position)
            if prefix != 0xFF or length < 2:
                return None
            if marker in _FRAME_HEADERS:
                size = struct.unpack_from(">HHB", content, position + 5)
            elif marker == _SCAN_HEADER:
                break
            position += 2 + length
    except struct.error:
        return None
    if size is None:
        return None
    height, width, components = size
    head = content[:position]
    return Frame(width, height, components, position, any(mark in head for mark in _METADATA))


def scans(content: bytes, segments: int) -> float:
    """Count the scans of a JPEG's first image, whatever else the file holds; 0 for what is none.

    What stands in segments before, such as an embedded thumbnail, or after the image's end is
    not counted. Infinitely many where the first scan is none of so many segments.
    """
    if not content.startswith(START):
        return 0
    position = len(START)
    for _ in range(segments):
        start = content.find(b"\xff", position)
        marker = content[start + 1 : start + _MARKER_BYTES] if start >= 0 else b""
        if not marker:
            return 0
        if marker[0] == _SCAN_HEADER:
            end = content.find(_END_OF_IMAGE, start)
            return content.count(_SCAN, start, end if end >= 0 else None)
        if marker[0] == _FILL:
            position = start + 1
        elif marker[0] in _WITHOUT_LENGTH:
            position = start + _MARKER_BYTES
        else:
            length = content[start + _MARKER_BYTES : start + _MARKER_BYTES + 2]
            position = start + _MARKER_BYTES + int.from_bytes(length, "big")
    return math.inf


def check_scans(content: bytes, frame: Frame) -> None:
    """Find what decoders fill with grey without a word: lost ends and broken codes.

    Raises:
        UnreadableError: There is such.
    """
    marker = _NOT_IN_SCANS.search(content, _after_codes(content, frame.scan + _MARKER_BYTES))
    if marker is None:
        reason = "truncated: a JPEG without its end"
        raise UnreadableError(reason)
    if marker[0] != _END_OF_IMAGE:
        reason = f"damaged: marker {marker[0].hex(' ')} in the pixels of a JPEG"
        raise UnreadableError(reason)


def _after_codes(content: bytes, start: int) -> int:
    """Return where the first marker may be; in codes, a zero follows each byte of ff.

    Tenfold as quick as to try each of these bytes for a marker, which takes a tenth of decoding.
    """
    codes = np.frombuffer(content, np.uint8)[start:]  # of 2 bytes or more: the header's length
    return start + int(np.argmax((codes[:-1] == 0xFF) & (codes[1:] != 0)))


def decode(content: bytes, frame: Frame, shrinking: float) -> NDArray[np.uint8] | None:
    """Decode, not turned, at the smallest scale that leaves enough; None where Pillow is to try.

    Args:
        content: The whole file.
        frame: Of it.
        shrinking: How many times smaller the photo is to be made, at least.

    Raises:
        UnreadableError: Its pixels are damaged.
    """
    if frame.components not in (1, 3):
        return None
    scale = next((scale for scale in SCALES if scale * LEFT <= shrinking), 1)
    height, width = -(-frame.height // scale), -(-frame.width // scale)
    try:
        pixels = simplejpeg.decode_jpeg(
            content,
            colorspace="RGB",
            min_height=height,
            min_width=width,
            min_factor=scale,
            strict=True,
        )
    except ValueError as error:
        said = str(error)
        if said.startswith(_DAMAGE):
            reason = f"damaged: {said.removeprefix(_DAMAGE).strip(': ')}"
            raise UnreadableError(reason) from error
        return None
    return np.asarray(pixels, np.uint8)
