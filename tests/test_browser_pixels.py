"""The code that docs/predict.md shows for a browser gives the pixels that imago gives."""

import base64

import numpy as np
import pytest

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
