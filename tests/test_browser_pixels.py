"""The code that docs/predict.md shows for a browser gives the pixels that imago gives."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imago.images.forms import Form, convert
from imago.photos import decoding
from tests.browser import chromium

CODE = re.search(r"```js\n(.*?)```", Path("docs/predict.md").read_text("utf-8"), re.DOTALL)
ASK = """
async ([code, content, side]) => {
  const pixelsOf = new Function(code + "; return pixelsOf;")();
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  return Array.from(await pixelsOf(new Blob([bytes]), side));
}
"""


def encoded(height, width, kind, *, clear=False, turned=None):
    generator = np.random.default_rng(height)
    pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if clear:
        opacity = np.full((height, width), 255, np.uint8)
        opacity[: height // 3] = 0
        pixels = np.dstack([pixels, opacity])
    exif = Image.Exif()
    if turned:
        exif[0x0112] = turned
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, exif=exif)
    return buffer.getvalue()


PHOTOS = {
    "larger": encoded(81, 70, "PNG"),
    "larger by whole pixels": encoded(64, 96, "PNG"),
    "smaller": encoded(20, 9, "PNG"),
    "one pixel": encoded(1, 1, "PNG"),
    "wide and low": encoded(7, 150, "PNG"),
    "clear": encoded(60, 66, "PNG", clear=True),
    "turned": encoded(72, 40, "JPEG", turned=6),
}


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        page = browser.new_page()
        page.goto("about:blank")
        yield page


@pytest.mark.browser
@pytest.mark.parametrize("name", PHOTOS)
def test_pixels_in_a_browser_are_those_of_imago(page, name):
    side = 32
    content = base64.b64encode(PHOTOS[name]).decode()
    found = np.array(page.evaluate(ASK, [CODE[1], content, side])).reshape(side, side, 3)
    decoded = decoding.decode(PHOTOS[name], 10_000)
    expected = convert(decoded, Form((side, side, 3), "stretch", "area")).astype(int)
    # decoders of JPEG and rounding after the first of two axes differ by a level or two
    assert np.abs(found - expected).max() <= 2
    assert np.abs(found - expected).mean() < 0.5
