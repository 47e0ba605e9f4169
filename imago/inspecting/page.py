"""The page of a data set: what there is, and what a person should look at."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from imago.inspecting.tables import Photos
from imago.reports import rendering

SHEET, MOST_SHOWN = 24, 200
"""Photos of each class on its sheet; and entries of each list that the page shows, of which the
tables have all."""


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
    return rendering.page(
        "inspection.html",
        name=name,
        made_from=made_from,
        columns=list(found["counts"].columns),
        counts=found["counts"].to_dict("records"),
        sheets={one: sheet(photos, label) for label, one in enumerate(photos.classes)},
        duplicates=found["duplicates"].head(MOST_SHOWN).to_dict("records"),
        suspects=found["suspects"].head(MOST_SHOWN).to_dict("records"),
        left_out=found["left_out"].head(MOST_SHOWN).to_dict("records"),
        totals={kind: len(table) for kind, table in found.items()},
        files=photos.files,
        thumbnail=thumbnail,
    )


def sheet(photos: Photos, label: int) -> list[int]:
    """Choose photos of a class at equal distances."""
    rows = np.nonzero(photos.labels == label)[0]
    places = np.linspace(0, len(rows) - 1, min(SHEET, len(rows))).round().astype(int)
    chosen: list[int] = rows[places].tolist()
    return chosen
