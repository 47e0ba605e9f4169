"""Which classes are taken for which, where they are too many for a matrix."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from imago.drawing import canvas, sheets
from imago.drawing.canvas import GRAY, LIGHT, MARGIN_PX, SMALL_POINTS, WRONG
from imago.figures._subject import Subject

TITLE = "Largest confusions"
CAPTION = "Pairs of classes that are taken for each other: their photos, or their names, are alike."
SECTION, PLACE = "answers", 10

PAIRS = 40
ROW_PX, HEADS_PX, NAME_PX, NUMBER_PX, BAR_PX = 22, 20, 290, 60, 130
"""Heights, and widths of a name, of the number of images and of the bar of their share."""


def draw(subject: Subject) -> Figure | None:
    """Draw the most frequent mistakes; None where there are few classes, or all is right."""
    table, classes = subject.confusion, subject.classes
    if len(table) == len(classes) ** 2:
        return None
    wrong = table[table["true"] != table["predicted"]]
    shown = wrong.sort_values(["count", "share"], ascending=False, kind="stable").head(PAIRS)
    if shown.empty:
        return None
    top = canvas.HEADING_PX + HEADS_PX
    sheet = sheets.Sheet.blank(canvas.WIDTH_PX, top + len(shown) * ROW_PX + 8)
    canvas.heading(sheet.figure, TITLE, _described(subject, len(shown)))
    _draw_heads(sheet, canvas.HEADING_PX)
    for row, pair in enumerate(shown.to_dict("records")):
        _draw_pair(sheet, top + row * ROW_PX, pair)
    return sheet.finish()


def _described(subject: Subject, shown: int) -> str:
    found = subject.predictions
    wrong = np.stack([found.labels, found.predicted])[:, ~found.right]
    kinds = np.unique(wrong, axis=1).shape[1]
    which = f"The {shown:,} largest of {kinds:,}" if shown < kinds else f"All {kinds:,}"
    return (
        f"{which} kinds of mistakes, on {len(found.labels):,} test images of "
        f"{len(subject.classes):,} classes. The bar is the share of the true class's images."
    )


def _draw_heads(sheet: sheets.Sheet, top: int) -> None:
    how = {"points": SMALL_POINTS, "color": GRAY}
    left, right = MARGIN_PX + NAME_PX, MARGIN_PX + 2 * NAME_PX + 24
    sheet.text(left, top, "true class", align="right", **how)
    sheet.text(left + 24, top, "taken for", **how)
    sheet.text(right + NUMBER_PX, top, "images", align="right", **how)
    sheet.text(right + NUMBER_PX + 16, top, "share of the true class", **how)


def _draw_pair(sheet: sheets.Sheet, top: int, pair: Mapping[Any, Any]) -> None:
    left, right = MARGIN_PX + NAME_PX, MARGIN_PX + 2 * NAME_PX + 24
    middle = top + ROW_PX // 2
    how = {"hang": "center", "width_px": NAME_PX}
    sheet.text(left, middle, pair["true"], align="right", **how)
    sheet.text(left + 12, middle, "→", align="center", hang="center", color=GRAY)
    sheet.text(left + 24, middle, pair["predicted"], **how)
    sheet.text(right + NUMBER_PX, middle, f"{pair['count']:,}", align="right", hang="center")
    bar, height = right + NUMBER_PX + 16, 10
    sheet.box(bar, middle - height // 2, BAR_PX, height, LIGHT)
    sheet.box(bar, middle - height // 2, max(1, round(pair["share"] * BAR_PX)), height, WRONG)
    words = canvas.percent(pair["share"])
    sheet.text(bar + BAR_PX + 42, middle, words, align="right", hang="center")
