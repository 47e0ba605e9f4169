import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imago.photos import decoding, png_text

PICTURE = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
LONG = "history " * 200_000


def png(*texts, packed=True, **options):
    """A PNG with these texts, (keyword, text)."""
    info = PngInfo()
    for keyword, text in texts:
        if keyword.startswith("XML"):
            info.add_itxt(keyword, text, zip=packed)
        else:
            info.add_text(keyword, text, zip=packed)
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG", pnginfo=info, **options)
    return file.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def decode(content):
    return decoding.decode(content, 10**6)


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        ([("XML:com.adobe.xmp", LONG)], {}),
        ([("XML:com.adobe.xmp", LONG)], {"packed": False}),
        ([("Comment", LONG)], {}),
        ([("Comment", LONG)], {"packed": False}),
        ([("Comment", LONG[:500_000])] * 200, {}),
        ([], {"icc_profile": bytes(2_000_000)}),
    ],
    ids=["packed XMP", "XMP", "packed text", "text", "many texts", "profile"],
)
def test_what_is_long_beside_the_picture_does_not_matter(texts, options):
    np.testing.assert_array_equal(decode(png(*texts, **options)), PICTURE)


def test_short_texts_stay():
    content = png(("Comment", "a fine day"), ("XML:com.adobe.xmp", "<x/>"))

    assert png_text.shortened(content) is content


def test_the_orientation_of_a_long_text_remains():
    said = '<rdf:Description tiff:Orientation="6"/>'
    content = png(("Comment", LONG), ("XML:com.adobe.xmp", LONG + said + LONG))

    np.testing.assert_array_equal(decode(content), np.rot90(PICTURE, -1))


def test_the_orientation_in_a_text_of_imagemagick_remains():
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = exif.tobytes()
    content = png(("Raw profile type exif", f"\nexif\n{len(raw):8}\n{raw.hex()}\n"))

    np.testing.assert_array_equal(decode(content), np.rot90(PICTURE, -1))


def test_a_bomb_takes_no_memory():
    whole = png()
    bombs = [
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(200_000_000))),
        *[chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000)))] * 20,
    ]
    content = b"".join([whole[:33], *bombs, whole[33:]])

    tracemalloc.start()
    np.testing.assert_array_equal(decode(content), PICTURE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * png_text.GREATEST_XMP_BYTES


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"XML:com.adobe.xmp\0", b"XML:com.adobe.xmp\0\1\0\0\0no zlib", b"no end"],
    ids=["empty", "no keyword", "nothing behind", "not packed", "no zero"],
)
@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
def test_damaged_texts_do_not_matter(kind, data):
    whole = png(icc_profile=b"x")
    shortened = png_text.shortened(whole[:33] + chunk(kind, data) + whole[33:])

    assert chunk(kind, data) in shortened
    assert b"iCCP" not in shortened


@pytest.mark.parametrize("length", range(8, 60, 5))
def test_what_is_cut_stays_as_it_is(length):
    content = png(("Comment", "a fine day"))[:length]

    assert png_text.shortened(content) == content
