"""The page of a data set: what there is, and what a person should look at."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from imago.inspecting.tables import Photos
from imago.reports import rendering

SHEET, MOST_SHOWN = 24, 200
"""Photos of each class on its sheet; and entries of each list that the page shows, of which the
tables have all."""
ON_SHEETS = 1200
"""Photos on all sheets together, some 4 kB each: each of more than 50 classes has fewer than SHEET,
and of more classes than these some have none."""


def render(
    name: str,
    photos: Photos,
    found: Mapping[str, pd.DataFrame],
    thumbnail: Callable[[int], str],
    made_from: str,
) -> str:
    """Render the page.

    Args:
        name: Of the data set.
        photos: What it holds.
        found: The tables counts, duplicates, suspects and left_out.
        thumbnail: From a photo's position to a data URI.
        made_from: By what likeness and suspicion are judged, in words.
    """
    count = len(photos.classes)
    size = max(1, min(SHEET, ON_SHEETS // count))
    shown = np.linspace(0, count - 1, min(count, ON_SHEETS)).round().astype(int).tolist()
    return rendering.page(
        "inspection.html",
        name=name,
        made_from=made_from,
        columns=list(found["counts"].columns),
        counts=found["counts"].to_dict("records"),
        sheets={photos.classes[label]: sheet(photos, label, size) for label in shown},
        sheet_size=size if size < SHEET else None,
        class_count=count,
        duplicates=found["duplicates"].head(MOST_SHOWN).to_dict("records"),
        suspects=found["suspects"].head(MOST_SHOWN).to_dict("records"),
        left_out=found["left_out"].head(MOST_SHOWN).to_dict("records"),
        totals={kind: len(table) for kind, table in found.items()},
        files=photos.files,
        thumbnail=thumbnail,
    )


def sheet(photos: Photos, label: int, size: int = SHEET) -> list[int]:
    """Choose up to `size` photos of a class at equal distances."""
    rows = np.nonzero(photos.labels == label)[0]
    places = np.linspace(0, len(rows) - 1, min(size, len(rows))).round().astype(int)
    chosen: list[int] = rows[places].tolist()
    return chosen
