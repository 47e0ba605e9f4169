"""Image files of the common formats, decoded to upright RGB pixels.

JPEG goes through libjpeg-turbo (see `jpeg`); CMYK, rare codes and every other format go through
Pillow, HEIC by libheif. Colour profiles are not applied.
"""

import contextlib
import importlib
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

from imago.photos import jpeg, png_text
from imago.photos.unreadable import TOO_MANY_PIXELS as TOO_MANY_PIXELS
from imago.photos.unreadable import UnreadableError as UnreadableError
from imago.photos.unreadable import check_size

FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")

_READERS = {
    b"BM": "Bmp",
    b"GIF87a": "Gif",
    b"GIF89a": "Gif",
    jpeg.START: "Jpeg",
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
_SIDEWAYS = (5, 6, 7, 8)
"""Orientations of which the height is stored as the width."""


Shrinking = Callable[[int, int], float]
"""Tells of an upright image's height and width how many times smaller it will be made, at least."""


def whole(_height: int, _width: int) -> float:
    """Return the shrinking of an image of which every pixel is wanted."""
    return 1.0


@dataclass(frozen=True)
class Decoded:
    """A photo's pixels, of all of it or at a smaller scale.

    Attributes:
        pixels: (H, W, 3) uint8, RGB, 0-255.
        height: Of the whole photo, upright.
        width: Of the whole photo, upright.
    """

    pixels: NDArray[np.uint8]
    height: int
    width: int


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
    return decode_for(content, greatest_pixels, whole).pixels


def decode_for(content: bytes, greatest_pixels: int, shrinking: Shrinking) -> Decoded:
    """Decode as `decode` does, of a JPEG no more than is needed of what will be made smaller.

    It is decoded at the smallest of the scales of `jpeg` that leaves twice as many pixels, along
    each side, as will be made of it, which are then nearly the same; damage is found as ever.

    Args:
        content: As of `decode`.
        greatest_pixels: As of `decode`.
        shrinking: What will be done.

    Raises:
        UnreadableError: As of `decode`.
    """
    if content.startswith(jpeg.START) and (frame := jpeg.read_frame(content)):
        check_size(frame.width, frame.height, greatest_pixels)
        jpeg.check_scans(content, frame)
        orientation = _orientation(content) if frame.may_turn else None
        sides = (frame.height, frame.width)
        height, width = sides[::-1] if orientation in _SIDEWAYS else sides
        with _told_as_unreadable("JPEG"):
            stored = jpeg.decode(content, frame, shrinking(height, width))
        if stored is not None:
            return Decoded(_turned(stored, orientation), height, width)
    pixels = _decode_with_pillow(content, greatest_pixels)  # which also knows the reason why not
    return Decoded(pixels, *pixels.shape[:2])


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings of damaged files from the terminal.

    To be entered once, around all threads that decode: filters belong to the whole process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


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
        check_size(*image.size, greatest_pixels)
        image.load()
        check_size(*image.size, greatest_pixels)  # HEIC tells its true size only now
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
