"""What the code in docs/predict.md, for places without imago, is held against: imago's pixels."""

import io
import itertools
import re

import numpy as np
from PIL import Image, ImageOps

from imago.images.forms import Form, convert
from imago.photos import decoding
from tests.tiny_project import ROOT

SIDE_PX = 32


def code(language):
    """The code in this language; there is one piece."""
    text = (ROOT / "docs/predict.md").read_text("utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return found


def encoded(height, width, kind="PNG", *, clear=False, turned=None):
    generator = np.random.default_rng(height)
    pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if clear:
        opacity = np.full((height, width), 255, np.uint8)
        opacity[: height // 3] = 0
        opacity[height // 3 : height // 2] = 100
        pixels = np.dstack([pixels, opacity])
    exif = Image.Exif()
    if turned:
        exif[0x0112] = turned
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, exif=exif)
    return buffer.getvalue()


PHOTOS = {
    "larger": encoded(81, 70),
    "larger by whole pixels": encoded(64, 96),
    "much larger": encoded(200, 333),
    "smaller": encoded(20, 9),
    "one pixel": encoded(1, 1),
    "wide and low": encoded(7, 150),
    "as near to 16 rows as to 17": encoded(33, 64),
    "clear": encoded(60, 66, clear=True),
    "turned": encoded(72, 40, "JPEG", turned=6),
}
CASES = list(itertools.product(PHOTOS, ("stretch", "crop", "pad")))


def rgba(name):
    """A photo as an operating system decodes it: (H, W, 4), upright."""
    photo = ImageOps.exif_transpose(Image.open(io.BytesIO(PHOTOS[name])))
    return np.asarray(photo.convert("RGBA"))


def check(found, name, fit):
    """Compare pixels (side, side, 3) with those that imago gives."""
    decoded = decoding.decode(PHOTOS[name], 100_000)
    expected = convert(decoded, Form((SIDE_PX, SIDE_PX, 3), fit, "area")).astype(int)
    # decoders of JPEG and rounding after the first of two axes differ by a level or two
    assert np.abs(found - expected).max() <= 2
    assert np.abs(found - expected).mean() < 0.5
