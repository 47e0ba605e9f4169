import io
import random
import struct
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngInfo

from imago.core import photo_names
from imago.photos import decoding, jpeg
from imago.photos.decoding import UnreadableError
from tests import faults, malformed

pytestmark = pytest.mark.fault
pillow_heif.register_heif_opener()  # so that the tests can write what is read without it

ENOUGH = 10**6
COLORS = np.array([[[200, 30, 40], [20, 180, 60], [10, 50, 220]], [[0] * 3, [128] * 3, [255] * 3]])
PICTURE = COLORS.astype(np.uint8).repeat(16, axis=0).repeat(16, axis=1)  # 32 high and 48 wide
NOISE = np.random.default_rng(5).integers(0, 256, (32, 48, 3), np.uint8)
GRAY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
ORIENTATION = 0x0112


def encode(pixels, form, mode=None, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, form, **options)
    return file.getvalue()


def decode(content):
    return decoding.decode(content, ENOUGH)


def rgb(gray):
    return np.repeat(np.asarray(gray, np.uint8)[..., np.newaxis], 3, axis=-1)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("BMP", {}),
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"big_tiff": True}),
        ("WEBP", {"lossless": True}),
    ],
    ids=str,
)
def test_lossless_formats(form, options):
    pixels = decode(encode(PICTURE, form, **options))

    np.testing.assert_array_equal(pixels, PICTURE)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("AVIF", {"quality": 95}),
        ("HEIF", {"quality": 95}),
        ("HEIF", {"quality": 95, "tile_size": 16}),
    ],
    ids=["AVIF", "HEIC", "HEIC of tiles"],
)
def test_formats_in_boxes(form, mode, options):
    pixels = decode(encode(PICTURE, form, mode, **options)).astype(int)

    expected = np.asarray(Image.fromarray(PICTURE).convert(mode).convert("RGB")).astype(int)
    assert pixels.shape == PICTURE.shape
    assert abs(pixels - expected)[8::16, 8::16].max() <= 6  # in the middle of each square


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_general_brands_may_come_first(form):
    content = bytearray(encode(PICTURE, form))
    content[8:12] = b"mif1"

    np.testing.assert_array_equal(decode(bytes(content)), decode(encode(PICTURE, form)))


def test_the_primary_photo_of_a_heic():
    others = pillow_heif.HeifFile()
    for color in ("red", "lime", "blue"):
        others.add_from_pillow(Image.new("RGB", (64, 64), color))
    file = io.BytesIO()
    others.save(file, primary_index=1)

    assert decode(file.getvalue())[32, 32].tolist() == pytest.approx([0, 255, 0], abs=6)


def test_memory_for_a_heic_is_that_of_the_size_it_says():
    content = bytearray(encode(Image.new("RGB", (1024, 1024)), "HEIF"))
    at = content.index(b"ispe") + 8
    content[at : at + 8] = struct.pack(">II", 100, 100)

    with pytest.raises(UnreadableError, match=r"^not decodable as HEIF: .*exceeds the maximum"):
        decode(bytes(content))


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        pytest.param("RGB", {}, id="RGB"),
        pytest.param("L", {}, id="grayscale"),
        pytest.param("RGB", {"progressive": True}, id="progressive"),
        pytest.param("RGB", {"subsampling": 0}, id="4:4:4"),
        pytest.param("RGB", {"restart_marker_blocks": 1}, id="restart markers"),
        pytest.param("RGB", {"keep_rgb": True}, id="not YCbCr"),
        pytest.param("RGB", {"comment": b"a fine day"}, id="comment"),
        pytest.param("CMYK", {}, id="CMYK"),
    ],
)
def test_jpeg_has_the_pixels_that_pillow_gives(mode, options):
    content = encode(PICTURE, "JPEG", mode, **options)

    pixels = decode(content)

    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.dtype == np.uint8


def test_jpeg_of_colors():
    pixels = decode(encode(PICTURE, "JPEG", quality=95)).astype(int)

    assert abs(pixels[8::16, 8::16] - COLORS).max() <= 3  # in the middle of each square


def test_cmyk_jpeg():
    content = encode(PICTURE, "JPEG", "CMYK", quality=95)

    assert b"Adobe" in content  # whose CMYK is inverted
    assert abs(decode(content).astype(int)[8::16, 8::16] - COLORS).max() <= 4


def test_first_of_several_photos_in_a_jpeg():
    several = encode(PICTURE, "MPO", save_all=True, append_images=[Image.new("RGB", (48, 32))])

    np.testing.assert_array_equal(decode(several), decode(encode(PICTURE, "JPEG")))


def test_palette():
    image = Image.fromarray(PICTURE).quantize(6)

    expected = np.asarray(image.convert("RGB"))
    for form in ("BMP", "GIF", "PNG", "TIFF"):
        np.testing.assert_array_equal(decode(encode(image, form)), expected)


@pytest.mark.parametrize("form", ["BMP", "GIF", "PNG", "TIFF"])
def test_grayscale(form):
    np.testing.assert_array_equal(decode(encode(GRAY, form)), rgb(GRAY))


@pytest.mark.parametrize("form", ["BMP", "PNG", "TIFF"])
def test_one_bit(form):
    content = encode(Image.fromarray(GRAY > 100), form)

    np.testing.assert_array_equal(decode(content), rgb((GRAY > 100) * 255))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled(form):
    # 128 / 257 rounds to 0, 129 / 257 to 1, and 65,535 / 257 is 255.
    content = encode(np.array([[0, 128, 129, 257, 32_896, 65_535]], np.uint16), form)

    np.testing.assert_array_equal(decode(content), rgb([[0, 0, 1, 1, 128, 255]]))


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_thirty_two_bits_are_refused(dtype):
    with pytest.raises(UnreadableError, match="values of 32 bits, of which white and black"):
        decode(encode(GRAY.astype(dtype), "TIFF"))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_laid_on_white(form):
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [100, 0, 200, 51]]], np.uint8)
    options = {"lossless": True} if form == "WEBP" else {}

    # A fifth of the colour and four fifths of white: 20 + 204, 0 + 204, 40 + 204.
    expected = [[[10, 20, 30], [255, 255, 255], [224, 204, 244]]]
    assert decode(encode(pixels, form, **options)).tolist() == expected


def test_gray_with_alpha_is_laid_on_white():
    pixels = np.array([[[10, 255], [10, 0], [100, 51]]], np.uint8)

    assert decode(encode(Image.fromarray(pixels), "PNG")).tolist() == rgb([[10, 255, 224]]).tolist()


@pytest.mark.parametrize(
    ("mode", "transparent"),
    [("RGB", (20, 180, 60)), ("L", 118), ("P", 0), ("P", bytes([0, 255, 255, 255, 255, 255]))],
    ids=["RGB", "L", "P", "P with alpha"],
)
def test_transparent_color_is_white(mode, transparent):
    image = Image.fromarray(PICTURE)
    image = image.quantize(6) if mode == "P" else image.convert(mode)
    expected = np.array(image.convert("RGB"))
    chosen = np.asarray(image) == (0 if mode == "P" else transparent)
    chosen = chosen.all(axis=-1) if mode == "RGB" else chosen
    assert chosen.sum() == 256
    expected[chosen] = 255

    np.testing.assert_array_equal(decode(encode(image, "PNG", transparency=transparent)), expected)


@pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF", "WEBP"])
def test_first_frame(form):
    options = {"lossless": True} if form == "WEBP" else {}
    other = Image.fromarray(255 - GRAY)

    content = encode(GRAY, form, save_all=True, append_images=[other], **options)

    np.testing.assert_array_equal(decode(content), rgb(GRAY))


UPRIGHT = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}
"""Row 0 of what is stored is to be seen at the top, top, bottom, bottom, left, right, right, left;
column 0 at the left, right, right, left, top, top, bottom, bottom."""


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (9, 9))]}),
        ("WEBP", "RGB", {"lossless": True}),
    ],
    ids=["JPEG", "gray JPEG", "CMYK JPEG", "PNG", "TIFF", "TIFF of pages", "WEBP"],
)
def test_images_are_turned_upright(form, mode, options, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation

    stored = decode(encode(PICTURE, form, mode, **options))
    pixels = decode(encode(PICTURE, form, mode, exif=exif, **options))

    np.testing.assert_array_equal(pixels, UPRIGHT[orientation](stored))


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_formats_in_boxes_are_turned_upright(form, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation

    pixels = decode(encode(PICTURE, form, exif=exif.tobytes(), quality=95)).astype(int)

    difference = abs(pixels - UPRIGHT[orientation](decode(encode(PICTURE, form, quality=95))))
    assert np.median(difference) <= 2


def xmp(orientation, form="attribute"):
    said = f'tiff:Orientation="{orientation}"'
    if form == "element":
        said = f"><tiff:Orientation>{orientation}</tiff:Orientation"
    return f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {said}/>'.encode()


def with_xmp(form, text, **options):
    if form == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", text.decode())
        return encode(PICTURE, form, pnginfo=info, **options)
    if form == "TIFF":
        return encode(PICTURE, form, tiffinfo={700: text, **options.pop("exif", {})}, **options)
    return encode(PICTURE, form, xmp=text, **options)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("said", ["attribute", "element"])
def test_xmp_says_how_a_photo_is_turned_where_exif_does_not(form, said):
    other = Image.Exif()
    other[0x010F] = "a maker"
    six = Image.Exif()
    six[ORIENTATION] = 6
    options = {"lossless": True} if form == "WEBP" else {}

    stored = decode(encode(PICTURE, form, **options))
    for exif, orientation in ((None, 8), (other, 8), (six, 6)):
        exifs = {} if exif is None else {"exif": exif}
        pixels = decode(with_xmp(form, xmp(8, said), **options, **exifs))
        np.testing.assert_array_equal(pixels, UPRIGHT[orientation](stored))


def test_xmp_does_not_turn_what_boxes_leave_as_it_is():
    content = encode(PICTURE, "AVIF", xmp=xmp(6))

    np.testing.assert_array_equal(decode(content), decode(encode(PICTURE, "AVIF")))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"MM\0*\0\0\0\x08\xff\xff", b"of no use"], ids=["short", "other"])
def test_damaged_exif_does_not_matter(form, exif):
    options = {} if form == "JPEG" else {"lossless": True}
    content = encode(PICTURE, form, exif=b"Exif\0\0" + exif, **options)

    with decoding.quiet():
        pixels = decode(content)

    np.testing.assert_array_equal(pixels, decode(encode(PICTURE, form, **options)))


def tiff_with_a_tag_too_long():
    content = encode(GRAY, "TIFF", tiffinfo={305: "imago tests"})
    entry = struct.pack("<HHI", 305, 2, 12)
    assert entry in content
    return content.replace(entry, struct.pack("<HHI", 305, 2, 12_000))


def test_quiet():
    with decoding.quiet():
        pixels = decode(tiff_with_a_tag_too_long())

    np.testing.assert_array_equal(pixels, rgb(GRAY))


def test_warnings_that_are_errors():
    with pytest.raises(UnreadableError, match="not decodable as TIFF: Tag data larger than file"):
        decode(tiff_with_a_tag_too_long())


@pytest.mark.parametrize("form", decoding.FORMATS)
def test_too_many_pixels(form, monkeypatch):
    content = encode(PICTURE, form)

    assert decoding.decode(content, 48 * 32).shape == (32, 48, 3)
    monkeypatch.setattr(Image.Image, "load", pytest.fail)  # which none comes to
    with pytest.raises(UnreadableError, match=r"^too many pixels: 48×32, more than 1,535$"):
        decoding.decode(content, 48 * 32 - 1)


def test_gigantic_images_are_not_decoded():
    blank = bytearray(encode(PICTURE, "JPEG"))
    size = blank.index(b"\xff\xc0") + 5
    blank[size : size + 4] = b"\xff\xff\xff\xff"

    with pytest.raises(UnreadableError, match=r"^too many pixels: 65535×65535, "):
        decode(bytes(blank))
    small_with_a_gigantic_frame = b"GIF89a\1\0\1\0\0\0\0," + bytes(4) + b"\xff" * 4 + bytes(9)
    with pytest.raises(UnreadableError, match=r"not decodable as GIF: .* exceeds limit"):
        decode(small_with_a_gigantic_frame)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "^empty$", id="empty"),
        pytest.param(
            b"<html>Not found</html>",
            "^not of a known format: AVIF, BMP, GIF, HEIF, JPEG, PNG, TIFF, WEBP$",
            id="web page",
        ),
        pytest.param(b"\xd0\xcf\x11\xe0" * 99, "^not of a known format", id="Thumbs.db"),
        pytest.param(b"%PDF-1.7\n", "^not of a known format", id="PDF"),
        pytest.param(bytes(999), "^not of a known format", id="zeros"),
        pytest.param(b"RIFF\x24\0\0\0WAVEfmt ", "^not decodable as WEBP", id="sound"),
        pytest.param(b"\0\0\0\x18ftypheic" + bytes(999), "^not decodable as HEIF", id="no HEIC"),
        pytest.param(b"\0\0\0\x18ftypavif" + bytes(999), "^not decodable as AVIF", id="no AVIF"),
        pytest.param(b"\0\0\0\x18ftypisom" + bytes(999), "^not of a known format", id="film"),
        pytest.param(b"\xff\xff\xff\xffftyp", "^not of a known format", id="box without end"),
        pytest.param(b"\xff\xd8", "^not decodable as JPEG", id="beginning alone"),
        pytest.param(b"\xff\xd8\xff" + b"?" * 99, "^not decodable as JPEG", id="no JPEG"),
    ],
)
def test_other_files(content, reason):
    with pytest.raises(UnreadableError, match=reason):
        decode(content)


@pytest.mark.parametrize("missing", [1, 2, 3, 10, 100, 500])
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_truncated_jpeg(options, missing):
    content = encode(NOISE, "JPEG", **options)

    with pytest.raises(UnreadableError, match=r"^truncated: a JPEG without its end$"):
        decode(content[:-missing])


def test_jpeg_whose_tail_is_zeros():
    content = encode(NOISE, "JPEG")

    with pytest.raises(UnreadableError, match=r"^truncated"):
        decode(content[:-200] + bytes(20_000))


def test_jpeg_with_a_false_marker_in_its_pixels():
    content = encode(NOISE, "JPEG")

    with pytest.raises(UnreadableError, match=r"^damaged: marker ff 3c in the pixels of a JPEG$"):
        decode(content[:-100] + b"\xff\x3c" + content[-98:])


def test_bytes_behind_a_jpeg_do_not_matter():
    content = encode(NOISE, "JPEG")

    np.testing.assert_array_equal(decode(content + b"\xff\x3c\0\0 a film"), decode(content))


@pytest.mark.parametrize(
    ("options", "start", "entry"),
    [
        pytest.param({}, "<HHI", struct.pack("<HHIf", 273, 11, 1, 8), id="not whole"),
        pytest.param(
            {"big_tiff": True}, "<HHQ", struct.pack("<HHQQ", 273, 16, 1, 2**64 - 1), id="too large"
        ),
    ],
)
def test_tiff_whose_offset_is_no_offset(options, start, entry):
    content = bytearray(encode(GRAY, "TIFF", **options))
    position = content.index(struct.pack(start, 273, 4, 1))
    content[position : position + len(entry)] = entry

    with pytest.raises(UnreadableError, match=r"^not decodable as TIFF: .* int"):
        decode(bytes(content))


SEEDS = {
    "AVIF": encode(PICTURE, "AVIF"),
    "HEIC": encode(PICTURE, "HEIF"),
    "BMP": encode(PICTURE, "BMP"),
    "GIF": encode(PICTURE, "GIF"),
    "animated GIF": encode(GRAY, "GIF", save_all=True, append_images=[Image.new("L", (6, 4))]),
    "JPEG": encode(PICTURE, "JPEG"),
    "progressive JPEG": encode(PICTURE, "JPEG", progressive=True),
    "CMYK JPEG": encode(PICTURE, "JPEG", "CMYK"),
    "PNG": encode(PICTURE, "PNG"),
    "palette PNG": encode(Image.fromarray(PICTURE).quantize(6), "PNG", transparency=1),
    "TIFF": encode(PICTURE, "TIFF"),
    "deflated TIFF": encode(PICTURE, "TIFF", compression="tiff_deflate"),
    "WEBP": encode(PICTURE, "WEBP"),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_missing_pixels_are_never_made_up(seed):
    whole = SEEDS[seed]
    pixels = decode(whole)

    with decoding.quiet():
        for length in range(0, len(whole), max(1, len(whole) // 50)):
            try:
                found = decode(whole[:length])
            except UnreadableError:
                continue
            np.testing.assert_array_equal(found, pixels)  # only what follows them was cut


@pytest.mark.parametrize("seed", SEEDS)
def test_no_damage_brings_another_error(seed):
    draw, whole, outcomes = random.Random(seed), SEEDS[seed], set()

    for _ in range(faults.times(80, 5_000)):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 5)):
            within = draw.choice((60, 200, len(content)))  # most of what can go wrong is in front
            position = draw.randrange(min(within, len(content)))
            content[position] = draw.choice((0, 1, 0x7F, 0xFF, draw.randrange(256)))
        try:
            outcomes.add(decoding.decode(bytes(content), ENOUGH).shape[-1])
        except UnreadableError:
            outcomes.add("unreadable")

    assert outcomes == {3, "unreadable"}


def test_many_threads_may_decode():
    contents = list(SEEDS.values()) * 10
    expected = [decode(content) for content in contents]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(decode, contents))

    assert all(map(np.array_equal, found, expected))


def test_suffixes_are_those_of_the_formats():
    Image.init()
    known = Image.registered_extensions()

    assert {known[suffix] for suffix in photo_names.SUFFIXES} == {*decoding.FORMATS}


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        pytest.param(lambda jpeg: jpeg[: len(jpeg) // 2] + b"\xff\xd9", "premature end", id="cut"),
        pytest.param(
            lambda jpeg: jpeg[:-2] + b"\1" * 40 + b"\xff\xd9", "extraneous bytes", id="more"
        ),
        pytest.param(
            lambda jpeg: jpeg[:-400] + bytes(398) + jpeg[-2:],
            "extraneous bytes|premature end|bad Huff",
            id="zeros",
        ),
    ],
)
def test_damage_that_other_decoders_fill_with_gray(capfd, damaged, reason):
    noise = np.random.default_rng(3).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    jpeg = io.BytesIO()
    Image.fromarray(noise).save(jpeg, "JPEG", quality=90)
    assert decode(jpeg.getvalue()).shape == (64, 96, 3)

    with pytest.raises(UnreadableError, match=f"^damaged: .*({reason})"):
        decode(damaged(jpeg.getvalue()))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("error", [MemoryError, RecursionError, AssertionError("odd"), Warning])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_whatever_a_decoder_raises_is_of_that_file_alone(form, error, monkeypatch):
    def fail(*_args, **_options):
        raise error

    monkeypatch.setattr(jpeg.simplejpeg, "decode_jpeg", fail)
    monkeypatch.setattr(ImageFile, "load", fail)
    name = "odd" if isinstance(error, AssertionError) else error.__name__
    with pytest.raises(UnreadableError, match=f"^not decodable as {form}: {name}$"):
        decode(encode(PICTURE, form))


@pytest.mark.parametrize(("width", "height"), [(34_000_000, 1), (1, 65_536)])
def test_a_side_that_nothing_can_resize(width, height):
    content = malformed.png_claiming(width, height)
    reason = f"^{width}×{height} pixels, a side must have 1 to 65,535$"
    with pytest.raises(UnreadableError, match=reason):
        decoding.decode(content, 10**8)


SMOOTH = cv2.resize(COLORS.astype(np.uint8), (240, 176), interpolation=cv2.INTER_CUBIC)


def decode_for(content, shrinking):
    return decoding.decode_for(content, ENOUGH, lambda _height, _width: shrinking)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
@pytest.mark.parametrize(
    ("shrinking", "scale"), [(0.5, 1), (3.9, 1), (4, 2), (7.9, 2), (8, 4), (16, 8), (900, 8)]
)
def test_a_jpeg_keeps_twice_as_many_pixels_as_are_made_of_it(shrinking, scale, options):
    content = encode(SMOOTH, "JPEG", quality=95, **options)

    found = decode_for(content, shrinking)

    assert (found.height, found.width) == (176, 240)
    assert found.pixels.shape == (176 // scale, 240 // scale, 3)
    whole = decode(content).reshape(176 // scale, scale, 240 // scale, scale, 3).mean(axis=(1, 3))
    assert abs(found.pixels - whole).mean() < 0.6


def test_sides_that_are_no_multiples_are_rounded_up():
    content = encode(SMOOTH[:171, :233], "JPEG")

    assert [decode_for(content, 2 * scale).pixels.shape[:2] for scale in (2, 4, 8)] == [
        (86, 117),
        (43, 59),
        (22, 30),
    ]


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_what_is_turned_is_shrunk_as_it_is_seen(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    content = encode(SMOOTH, "JPEG", exif=exif)
    asked = []

    found = decoding.decode_for(content, ENOUGH, lambda *sides: asked.append(sides) or 8.0)

    upright = (240, 176) if orientation >= 5 else (176, 240)
    assert asked == [upright]
    assert (found.height, found.width) == upright
    stored = decode_for(encode(SMOOTH, "JPEG"), 8).pixels
    np.testing.assert_array_equal(found.pixels, UPRIGHT[orientation](stored))


@pytest.mark.parametrize("form", ["PNG", "CMYK JPEG", "gray JPEG"])
def test_which_files_are_decoded_smaller(form):
    mode = {"CMYK JPEG": "CMYK", "gray JPEG": "L"}.get(form, "RGB")
    found = decode_for(encode(SMOOTH, form.split()[-1], mode), 16)

    expected = (22, 30) if form == "gray JPEG" else (176, 240)
    assert found.pixels.shape == (*expected, 3)
    assert (found.height, found.width) == (176, 240)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
def test_damage_is_found_at_every_scale(options):
    noise = np.random.default_rng(3).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    whole, draw, found = encode(noise, "JPEG", **options), random.Random(str(options)), []

    for _ in range(faults.times(60, 3_000)):
        content = bytearray(whole)
        at, length = draw.randrange(700, len(content)), draw.randrange(1, 300)
        change = draw.choice(("flip", "cut", "zeros", "more"))
        if change == "flip":
            content[at] ^= 1 << draw.randrange(8)
        elif change == "cut":
            del content[at : at + length]
        else:
            end = at + length if change == "zeros" else at
            content[at:end] = bytes(length) if change == "zeros" else draw.randbytes(length)
        found.append([_reason(bytes(content), shrinking) for shrinking in (1, 4, 8, 16)])

    assert all(reasons == reasons[:1] * 4 for reasons in found)
    assert sum(reasons[0] is not None for reasons in found) > len(found) // 2


def _reason(content, shrinking):
    try:
        decode_for(content, shrinking)
    except UnreadableError as error:
        return str(error)
    return None


def test_scans_of_the_picture_alone_are_counted():
    picture = malformed.picture("JPEG")
    thumbnail = b"\xff\xe1" + (2 + len(picture)).to_bytes(2, "big") + picture
    assert jpeg.scans(malformed.picture("PNG"), 99) == 0
    assert jpeg.scans(picture[:2] + b"\xff", 99) == 0
    assert jpeg.scans(picture, 99) == 1
    assert jpeg.scans(picture[:2] + thumbnail + picture[2:] + picture, 99) == 1
    assert (
        jpeg.scans(malformed.progressive(31), 99) - jpeg.scans(malformed.progressive(1), 99) == 30
    )


@pytest.mark.parametrize("padding", [b"\xff", b"\xff\xe2\0\2", b"\xff\xd0"])
def test_endless_segments_before_the_scans_are_not_gone_through(padding):
    picture = malformed.picture("JPEG")
    padded = picture[:2] + padding * 100 + picture[2:]
    assert (jpeg.scans(padded, 200), jpeg.scans(padded, 100)) == (1, float("inf"))
