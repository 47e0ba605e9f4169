"""Files that are nearly images, or only claim to be, by a fixed seed."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pillow_heif
from PIL import Image

FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")


def picture(
    kind: str = "PNG", side_px: int = 24, color: tuple[int, int, int] | None = None
) -> bytes:
    """An image file: of one colour, or else noise that is always the same."""
    generator = np.random.default_rng(side_px)
    pixels = generator.integers(0, 255, (side_px, side_px, 3), dtype=np.uint8)
    if color is not None:
        pixels[:] = color
    buffer = io.BytesIO()
    if kind == "HEIF":  # which Pillow by itself does not write
        pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer)
    else:
        Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def fuzzed(count: int, seed: int = 5) -> Iterator[tuple[str, bytes]]:
    """Yield images of every format, each damaged in one of several ways."""
    generator = np.random.default_rng(seed)
    whole = [(kind, picture(kind, side)) for kind in FORMATS for side in (5, 24)]
    whole += [("GIF", animation(8)), ("JPEG", progressive(3)), ("WEBP", animation(4, "WEBP"))]
    ways = (_flip, _cut, _overwrite, _repeat, _insert, _swap_head)
    for index in range(count):
        kind, content = whole[int(generator.integers(len(whole)))]
        way = ways[int(generator.integers(len(ways)))]
        yield f"{index}.{kind.lower()}", bytes(way(bytearray(content), generator))


def crafted() -> Iterator[tuple[str, bytes]]:
    """Yield bombs, polyglots and what only has an image's name."""
    yield "empty.jpg", b""
    yield "text.png", b"hello"
    yield "page.jpg", b"<!doctype html><script>alert(1)</script>"
    yield "drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    yield "entities.svg", b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><svg>&d;</svg>'
    yield "script.gif", b"GIF89a/*" + b"\0" * 40 + b"*/=1;alert(1)"
    yield "archive.png", b"PK\x03\x04" + bytes(60)
    yield "program.png", b"\x7fELF" + bytes(60)
    yield "huge.png", png_claiming(2**31 - 1, 2**31 - 1)
    yield "wide.png", png_claiming(2_000_000_000, 1)
    yield "bomb.png", png_claiming(6000, 6000, zlib.compress(bytes(40_000_000), 9))
    yield "nothing.png", png_claiming(0, 0)
    yield "text_bomb.png", png_with_text(zlib.compress(bytes(80_000_000), 9))
    yield "huge.gif", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"\x2c" + bytes(9)
    yield (
        "huge.bmp",
        b"BM" + struct.pack("<IIIIii", 54, 0, 54, 40, 2**31 - 1, 2**31 - 1) + bytes(32),
    )
    yield "huge.jpg", jpeg_claiming(65535, 65535)
    yield "frames.gif", animation(2000)
    yield "scans.jpg", progressive(5000)
    yield "trailing.jpg", picture("JPEG") + b"<script>alert(1)</script>" * 99
    yield "two.jpg", picture("JPEG") + picture("PNG")
    yield "riff.webp", b"RIFF" + struct.pack("<I", 2**32 - 1) + b"WEBPVP8L" + bytes(20)
    yield "loop.tif", b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + struct.pack("<I", 8)
    yield "tags.tif", b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 65535) + bytes(4000)
    yield "../../evil\0name.png", picture("PNG")[:50]


def png_claiming(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG of 8-bit greys whose header says a size, whatever its data hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def png_with_text(compressed: bytes) -> bytes:
    """A PNG with compressed text, which readers unpack on their way to the pixels."""
    whole = picture("PNG")
    return whole[:33] + _chunk(b"zTXt", b"Comment\0\0" + compressed) + whole[33:]


def jpeg_claiming(width: int, height: int) -> bytes:
    """A JPEG whose header says a size that its data do not hold."""
    content = bytearray(picture("JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def progressive(scans: int) -> bytes:
    """A progressive JPEG whose last scan stands there again and again."""
    buffer = io.BytesIO()
    noise = Image.open(io.BytesIO(picture("PNG", 64)))
    noise.save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * scans + content[-2:]


def animation(frames: int, kind: str = "GIF") -> bytes:
    """An animation of small frames that all differ."""
    images = [Image.new("RGB", (6, 6), (i % 256, i // 256, 99)) for i in range(frames)]
    buffer = io.BytesIO()
    images[0].save(buffer, kind, save_all=True, append_images=images[1:])
    return buffer.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _flip(content: bytearray, generator: np.random.Generator) -> bytearray:
    for at in generator.integers(0, len(content), 1 + int(generator.integers(20))):
        content[at] ^= 1 << int(generator.integers(8))
    return content


def _cut(content: bytearray, generator: np.random.Generator) -> bytearray:
    return content[: int(generator.integers(len(content)))]


def _overwrite(content: bytearray, generator: np.random.Generator) -> bytearray:
    at = int(generator.integers(len(content)))
    content[at : at + 16] = generator.bytes(16)
    return content


def _repeat(content: bytearray, generator: np.random.Generator) -> bytearray:
    start, end = sorted(generator.integers(0, len(content), 2).tolist())
    return content[:end] + content[start:]


def _insert(content: bytearray, generator: np.random.Generator) -> bytearray:
    at = int(generator.integers(len(content)))
    edge = generator.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xda"])
    return content[:at] + bytes(edge) + content[at:]


def _swap_head(content: bytearray, generator: np.random.Generator) -> bytearray:
    other = picture(FORMATS[int(generator.integers(len(FORMATS)))])
    at = int(generator.integers(2, 40))
    return bytearray(other[:at]) + content[at:]
