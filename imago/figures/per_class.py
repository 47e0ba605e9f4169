"""Precision and recall of each class."""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from imago.drawing import canvas
from imago.drawing.canvas import BLUE, GRAY, INK, LIGHT, MARGIN_PX, ORANGE, SMALL_POINTS

CLASSES = 40
"""Of more, those of the lowest F1 are shown."""
ROW_PX, NAME_PX, TOP_PX, PLOT_PX = 25, 190, 96, 420
COLUMNS = {"precision": 66, "recall": 128, "f1": 180, "support": 238}
"""Where the figures end, in pixels from the plot on."""
TITLES = {"precision": "precision", "recall": "recall", "f1": "F1", "support": "images"}


def per_class(table: pd.DataFrame) -> Figure:
    """Draw the precision and the recall of each class, and their figures beside them.

    Args:
        table: As of per_class.csv, see `tables.per_class`.
    """
    shown, text = table, ""
    if len(table) > CLASSES:
        shown = table.sort_values("f1", kind="stable").head(CLASSES)
        text = f"The {CLASSES} of {len(table)} classes with the lowest F1, the lowest first. "
    figure = canvas.blank(canvas.WIDTH_PX, TOP_PX + len(shown) * ROW_PX + 44)
    text += (
        "Precision: of the images predicted to be of a class, the share that is. Recall: of the "
        "images of a class, the share that is found."
    )
    canvas.heading(figure, "Precision and recall of each class", text)
    _draw_points(figure, shown)
    _write_numbers(figure, shown)
    return figure


def _draw_points(figure: Figure, shown: pd.DataFrame) -> None:
    left = MARGIN_PX + NAME_PX
    axes = canvas.place(figure, left, TOP_PX, PLOT_PX, len(shown) * ROW_PX)
    rows, both = range(len(shown)), shown[["precision", "recall"]]
    axes.hlines(rows, both.min(axis=1), both.max(axis=1), color=GRAY, linewidth=2)
    how: dict[str, Any] = {
        "linestyle": "none",
        "clip_on": False,
        "markeredgecolor": INK,
        "markeredgewidth": 0.7,
    }
    axes.plot(shown["recall"], rows, marker="D", markersize=8.5, color=ORANGE, **how)
    axes.plot(shown["precision"], rows, marker="o", markersize=6, color=BLUE, **how)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_yticks(rows, [])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(lowest_shown(float(both.to_numpy().min())), 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.grid(color=LIGHT, linewidth=0.8)
    place = float(left)
    words = {"●": (BLUE, "precision"), "◆": (ORANGE, "recall")}
    for sign, (color, word) in words.items():
        text = canvas.write_text(figure, place, TOP_PX - 26, sign, color=color)
        place += text.get_window_extent().width + 5
        text = canvas.write_text(figure, place, TOP_PX - 26, word)
        place += text.get_window_extent().width + 18


def lowest_shown(lowest: float) -> float:
    """Return where the axis begins: at a tenth below all values, so that differences are seen."""
    return max(0.0, math.floor((lowest - 0.02) * 10) / 10)


def _write_numbers(figure: Figure, shown: pd.DataFrame) -> None:
    right = MARGIN_PX + NAME_PX + PLOT_PX
    for name, place in COLUMNS.items():
        title = TITLES[name]
        how: dict[str, Any] = {"align": "right", "points": SMALL_POINTS}
        canvas.write_text(figure, right + place, TOP_PX - 25, title, color=GRAY, **how)
    for row, values in enumerate(shown.to_dict("records")):
        middle = TOP_PX + (row + 0.5) * ROW_PX
        name = str(values["class"])
        left, width = MARGIN_PX + NAME_PX - 12, NAME_PX - 12
        canvas.write_text(figure, left, middle, name, align="right", hang="center", width_px=width)
        for column, place in COLUMNS.items():
            value = values[column]
            words = f"{int(value):,}" if column == "support" else f"{value:.3f}"
            canvas.write_text(figure, right + place, middle, words, align="right", hang="center")
