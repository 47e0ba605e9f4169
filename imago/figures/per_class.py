"""Precision and recall of each class."""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from imago.drawing import canvas
from imago.drawing.canvas import BLUE, GRAY, INK, LIGHT, MARGIN_PX, ORANGE, SMALL_POINTS
from imago.figures._subject import Subject

TITLE = "Precision and recall of each class"
CAPTION = "Low precision: the answer is given too often; low recall: the class is overlooked."
SECTION, PLACE = "classes", 10

CLASSES, BEST = 40, 10
"""Of more, those of the lowest F1 are shown, and some of the highest."""
ROW_PX, NAME_PX, TOP_PX, PLOT_PX = 25, 190, 96, 420
COLUMNS = {"precision": 66, "recall": 128, "f1": 180, "support": 238}
"""Where the numbers end, in pixels from the plot on."""
HEADS = {"precision": "precision", "recall": "recall", "f1": "F1", "support": "images"}


def draw(subject: Subject) -> Figure:
    """Draw the precision and the recall of each class, and their numbers beside them."""
    table = subject.per_class
    shown, text = table, ""
    if len(table) > CLASSES:
        ordered = table.sort_values("f1", kind="stable")
        shown = pd.concat([ordered.head(CLASSES - BEST), ordered.tail(BEST)])
        text = (
            f"Of {len(table):,} classes the {CLASSES - BEST} of the lowest F1 and the {BEST} of "
            "the highest, the lowest first. "
        )
    figure = canvas.blank(canvas.WIDTH_PX, TOP_PX + len(shown) * ROW_PX + 44)
    text += (
        "Precision: of the images predicted to be of a class, the share that is. Recall: of the "
        "images of a class, the share that is found."
    )
    canvas.heading(figure, TITLE, text)
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
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))  # whole percentages
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
        title = HEADS[name]
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
