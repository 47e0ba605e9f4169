"""The code that docs/predict.md shows for a browser gives the pixels that imago gives."""

import base64
import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from imago.images.forms import Form, convert
from imago.photos import decoding
from tests import outside
from tests.browser import chromium

ASK = """
async ([code, content, side, fit]) => {
  const pixelsOf = new Function(code + "; return pixelsOf;")();
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  return Array.from(await pixelsOf(new Blob([bytes]), side, fit));
}
"""


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        page = browser.new_page()
        page.goto("about:blank")
        yield page


@pytest.mark.browser
@pytest.mark.parametrize(("name", "fit"), outside.CASES)
def test_pixels_in_a_browser_are_those_of_imago(page, name, fit):
    side = outside.SIDE_PX
    content = base64.b64encode(outside.PHOTOS[name]).decode()
    found = page.evaluate(ASK, [outside.code("js"), content, side, fit])
    outside.check(np.array(found).reshape(side, side, 3), name, fit)


def display_p3():
    """An ICC profile whose primaries are those of Display P3, as iPhones write it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    wide = {
        b"rXYZ": (0.51512, 0.2412, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.1571, 0.06657, 0.78407),
    }
    (count,) = struct.unpack_from(">I", profile, 128)
    for index in range(count):
        name, start, _ = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if name in wide:
            struct.pack_into(">3i", profile, start + 8, *(round(x * 65536) for x in wide[name]))
    return bytes(profile)


@pytest.mark.browser
def test_colours_of_a_wide_profile_stay_as_they_are(page):
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20], pixels[20:] = (250, 40, 20), (20, 200, 40)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", icc_profile=display_p3())
    content = base64.b64encode(buffer.getvalue()).decode()
    found = page.evaluate(ASK, [outside.code("js"), content, 8, "stretch"])
    expected = convert(
        decoding.decode(buffer.getvalue(), 10_000), Form((8, 8, 3), "stretch", "area")
    )
    assert np.abs(np.array(found).reshape(8, 8, 3) - expected.astype(int)).max() <= 1


ANSWER = """
([code, said, outputs]) => {
  const answerOf = new Function(code + "; return answerOf;")();
  return answerOf(said, outputs);
}
"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("unsure", "distance", "label"),
    [
        (None, None, "dog"),
        ({"probability": None, "distance": 0.5}, 0.5, "dog"),
        ({"probability": None, "distance": 0.5}, 0.51, "unsure"),
        ({"probability": 0.75, "distance": None}, 9, "dog"),
        ({"probability": 0.76, "distance": None}, None, "unsure"),
    ],
)
def test_limits_are_kept_in_a_browser(page, unsure, distance, label):
    said = {"classes": ["cat", "dog"], "unsure": unsure}
    outputs = {"probabilities": {"data": [0.25, 0.75]}}
    if distance is not None:
        outputs["training_distance"] = {"data": [distance]}
    assert page.evaluate(ANSWER, [outside.code("js"), said, outputs]) == [label, 0.75]
