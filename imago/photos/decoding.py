"""Image files of the common formats, decoded to upright RGB pixels.

JPEG goes through libjpeg-turbo, which gives the pixels that Pillow gives, sooner, and tells of
damage that Pillow fills with grey; CMYK, rare codes and every other format go through Pillow, HEIC
by libheif. Colour profiles are not applied.
"""

import contextlib
import importlib
import io
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

from imago.core.errors import ImagoError
from imago.photos import png_text

FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")

_JPEG = b"\xff\xd8"
_METADATA = (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0")
"""Begin the segments of a JPEG that may say how it is turned: EXIF and XMP."""
_DAMAGE = "Corrupt JPEG data"
"""Begins what libjpeg says of pixels that it has to make up."""
_READERS = {
    b"BM": "Bmp",
    b"GIF87a": "Gif",
    b"GIF89a": "Gif",
    _JPEG: "Jpeg",
    b"\x89PNG\r\n\x1a\n": "Png",
    b"II*\0": "Tiff",
    b"MM\0*": "Tiff",
    b"II+\0": "Tiff",  # and these two are BigTIFF
    b"MM\0+": "Tiff",
    b"RIFF": "WebP",
}
"""First bytes of a file, and which reader of Pillow reads it. Pillow's own `open` would warn of
large images."""
_GREATEST_BRANDS_BYTES = 1024
_AVIF = {b"avif", b"avis"}
_HEIF = {b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevm", b"hevs", b"hevx", b"mif1", b"msf1"}
"""Brands of files in boxes. Source: ISO/IEC 23008-12 (2022), and AV1 Image File Format 1.1; some
of AV1 name the general brands first, so all of a file's brands count."""

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN_HEADER = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_NOT_IN_SCANS = re.compile(rb"\xff[^\x00\xff\xc4\xd0-\xd7\xda-\xdd\xe0-\xef\xfe]")
"""JPEG markers other than those that stand in or between scans, of which the first should be the
end of the image. Source of all markers: ITU-T T.81 (1992), table B.1."""

_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an image of each orientation upright. Source: EXIF 2.32 (2019), tag 0x0112."""

GREATEST_SIDE_PX = 65_535
"""The most that JPEG and GIF can say; decoders and resizers are not made for longer sides."""


TOO_MANY_PIXELS = "too many pixels"
"""Begins the reason against an image that is larger than was asked for."""


class UnreadableError(ImagoError, ValueError):
    """A file's content cannot be decoded; the message is the reason alone."""


@dataclass(frozen=True)
class _Frame:
    """What the headers of a JPEG say.

    Attributes:
        scan: Position of the first scan's header in the file.
    """

    width: int
    height: int
    components: int
    scan: int


def decode(content: bytes, greatest_pixels: int) -> NDArray[np.uint8]:
    """Decode an image file, whatever its name says, as RGB.

    The image is turned upright as its EXIF orientation says, or XMP where EXIF has none. What is
    transparent is laid on white; more bits are scaled to 8; of an animation the first frame is
    taken, and of several photos in a HEIC the one that is named the primary. Pixels that are
    missing are an error, and so is a JPEG without its end; pixels that are wrong are an error
    where the format has checksums (PNG) or the damage breaks the code (most of it, in a JPEG).

    May be called in many threads at a time; see `quiet`.

    Args:
        content: The whole file, of one of `FORMATS`.
        greatest_pixels: An image with more, width times height, is not decoded, nor is one with a
            side of more than GREATEST_SIDE_PX.

    Returns:
        (H, W, 3) uint8, RGB, 0-255.

    Raises:
        UnreadableError: The content is not an image that can be decoded, and nothing else.
    """
    if content.startswith(_JPEG) and (frame := _read_frame(content)):
        _check_size(frame.width, frame.height, greatest_pixels)
        _check_scans(content, frame)
        with _told_as_unreadable("JPEG"):
            pixels = _decode_jpeg(content) if frame.components in (1, 3) else None
        if pixels is not None:
            head = content[: frame.scan]
            may_turn = any(mark in head for mark in _METADATA)
            return _turned(pixels, _orientation(content)) if may_turn else pixels
    return _decode_with_pillow(content, greatest_pixels)  # which also knows the reason why not


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings of damaged files from the terminal.

    To be entered once, around all threads that decode: filters belong to the whole process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _read_frame(content: bytes) -> _Frame | None:
    """Read the headers of a JPEG up to its first scan; None where they are out of order."""
    position, size = len(_JPEG), None
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
    return _Frame(width, height, components, position)


def _check_size(width: int, height: int, greatest_pixels: int) -> None:
    if width * height > greatest_pixels:
        reason = f"{TOO_MANY_PIXELS}: {width}×{height}, more than {greatest_pixels:,}"
        raise UnreadableError(reason)
    if not 1 <= min(width, height) <= max(width, height) <= GREATEST_SIDE_PX:
        reason = f"{width}×{height} pixels, a side must have 1 to {GREATEST_SIDE_PX:,}"
        raise UnreadableError(reason)


def _check_scans(content: bytes, frame: _Frame) -> None:
    """Find what decoders fill with grey without a word: lost ends and broken codes."""
    marker = _NOT_IN_SCANS.search(content, frame.scan)
    if marker is None:
        reason = "truncated: a JPEG without its end"
        raise UnreadableError(reason)
    if marker[0] != _END_OF_IMAGE:
        reason = f"damaged: marker {marker[0].hex(' ')} in the pixels of a JPEG"
        raise UnreadableError(reason)


def _decode_jpeg(content: bytes) -> NDArray[np.uint8] | None:
    """Decode a JPEG, not turned; None where Pillow is to try.

    Raises:
        UnreadableError: Its pixels are damaged.
    """
    try:
        return np.asarray(simplejpeg.decode_jpeg(content, colorspace="RGB", strict=True), np.uint8)
    except ValueError as error:
        said = str(error)
        if said.startswith(_DAMAGE):
            reason = f"damaged: {said.removeprefix(_DAMAGE).strip(': ')}"
            raise UnreadableError(reason) from error
        return None


def _orientation(content: bytes) -> object:
    """Read the orientation of a JPEG, EXIF's or else XMP's; None where none can be read."""
    try:
        opened = _reader("Jpeg")(io.BytesIO(content))
        return opened.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # broad, as below; the picture itself is whole
        return None


def _turned(pixels: NDArray[np.uint8], orientation: object) -> NDArray[np.uint8]:
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.array(Image.fromarray(pixels).transpose(turn))


def _decode_with_pillow(content: bytes, greatest_pixels: int) -> NDArray[np.uint8]:
    reader = _reader_of(content)
    if reader is None:
        reason = f"not of a known format: {', '.join(FORMATS)}" if content else "empty"
        raise UnreadableError(reason)
    with _told_as_unreadable(reader.format):
        if reader.format == "PNG":
            content = png_text.shortened(content)
        image = reader(io.BytesIO(content))  # reads the headers only
        if reader.format == "AVIF":  # which is turned as its boxes say, whatever XMP says
            image.info.pop("xmp", None)
        return from_pillow(image, greatest_pixels)


def _reader_of(content: bytes) -> type[ImageFile] | None:
    """Return what reads a file, None where nothing does."""
    brands = _brands(content)
    if brands & _AVIF:
        return _reader("Avif")
    if brands & _HEIF:
        from pillow_heif import HeifImageFile  # here, for few need it

        return HeifImageFile
    name = next((name for start, name in _READERS.items() if content.startswith(start)), None)
    return _reader(name) if name else None


def _brands(content: bytes) -> set[bytes]:
    """Return the brands that a file in boxes names in its first box."""
    if content[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(content[:4], "big"), _GREATEST_BRANDS_BYTES)
    return {content[at : at + 4] for at in range(8, end, 4) if at != 12}  # which is a version


def _reader(name: str) -> type[ImageFile]:
    """Import a reader; one alone, since a prediction of one image waits for it."""
    module = importlib.import_module(f"PIL.{name}ImagePlugin")
    return cast("type[ImageFile]", getattr(module, f"{name}ImageFile"))


def from_pillow(image: Image.Image, greatest_pixels: int) -> NDArray[np.uint8]:
    """Decode an image that Pillow has opened, as `decode` does."""
    with _told_as_unreadable(image.format):
        _check_size(*image.size, greatest_pixels)
        image.load()
        _check_size(*image.size, greatest_pixels)  # HEIC tells its true size only now
        return _rgb(_upright(image))


@contextlib.contextmanager
def _told_as_unreadable(image_format: str | None) -> Iterator[None]:
    try:
        yield
    except UnreadableError:
        raise
    # Broad, for nobody lists what decoders raise for damaged files: MemoryError, RecursionError,
    # warnings that a filter turns into errors … . Each costs one file, and no run.
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__  # libheif's ends in a new line
        reason = f"not decodable as {image_format}: {said}"
        raise UnreadableError(reason) from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # broad, as above; the picture itself is whole
        return image
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16"):  # which Pillow would clip, not scale
        gray = (np.asarray(image).astype(np.uint32) + 128) // 257
        return np.repeat(gray.astype(np.uint8)[..., np.newaxis], 3, axis=-1)
    if image.mode in ("I", "F"):
        reason = "values of 32 bits, of which white and black are not known"
        raise UnreadableError(reason)
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return np.array(image.convert("RGB"))
