"""The page of a data set stays small, however many classes it has."""

import numpy as np
import pandas as pd
import pytest

from imago.inspecting import page, tables
from imago.inspecting.tables import Photos

WORDS = "Up to {} of each of {} of the {} classes."


@pytest.mark.parametrize(
    ("class_count", "photos", "words"),
    [
        (2, 2 * 24, None),
        (50, 50 * 24, None),
        (100, 100 * 12, WORDS.format("12 photos", "100", "100")),
        (1000, 1000, WORDS.format("1 photo", "1,000", "1,000")),
        (1500, 1200, WORDS.format("1 photo", "1,200", "1,500")),
    ],
)
def test_sheets_of_many_classes(class_count, photos, words):
    labels = np.repeat(np.arange(class_count), 30)
    of_all = Photos(
        classes=tuple(f"class {label}" for label in range(class_count)),
        splits=["train"] * len(labels),
        files=[f"{row}.jpg" for row in range(len(labels))],
        labels=labels,
        sizes=np.full((len(labels), 2), 8, np.int32),
    )
    nothing = dict.fromkeys(("duplicates", "suspects", "left_out"), pd.DataFrame())
    found = {"counts": tables.counts(of_all)} | nothing

    html = page.render("many", of_all, found, lambda _: "data:,", "As seen.")

    assert html.count('<img src="data:,"') == photos
    assert html.count('<h3 id="sheet-') == min(class_count, page.ON_SHEETS)
    assert f"images of {class_count} classes" in html
    assert words in html if words else "Up to " not in html
