"""Whether a model is right as often as its probabilities say."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from imago.drawing import canvas
from imago.drawing.canvas import BLUE, GRAY, INK, LIGHT, MARGIN_PX, POINTS, VERMILLION
from imago.drawing.fonts import FONT
from imago.figures._subject import Subject

TITLE = "Reliability"
CAPTION = "On the diagonal, answers come true as often as the model says; below it, it is too sure."
SECTION, PLACE = "answers", 60

HEIGHT_PX, TOP_PX, PLOT_PX, LEFT_PX = 480, 102, 320, 62


def draw(subject: Subject) -> Figure:
    """Draw accuracy against confidence in bins, and how many images each bin has."""
    table = subject.reliability
    figure = canvas.blank(canvas.WIDTH_PX, HEIGHT_PX)
    filled = table[table["examples"] > 0]
    weights = filled["examples"] / filled["examples"].sum()
    accuracy = float((weights * filled["accuracy"]).sum())
    confidence = float((weights * filled["confidence"]).sum())
    error = float((weights * (filled["accuracy"] - filled["confidence"]).abs()).sum())
    tendency = "says" if confidence >= accuracy else "says only"
    count = int(filled["examples"].sum())
    text = (
        f"Expected calibration error (ECE) {error:.4f} on {count:,} test images in {len(table)} "
        f"bins. The model is right in {100 * accuracy:.2f} % of them and {tendency} "
        f"{100 * confidence:.2f} % on average."
    )
    canvas.heading(figure, "Reliability: is it right as often as it says?", text)
    _draw_legend(figure)
    left = MARGIN_PX + LEFT_PX
    axes = canvas.place(figure, left, TOP_PX, PLOT_PX, PLOT_PX)
    _draw_diagram(axes, filled)
    width = canvas.WIDTH_PX - left - PLOT_PX - LEFT_PX - 3 * MARGIN_PX - 20
    axes = canvas.place(figure, left + PLOT_PX + LEFT_PX + MARGIN_PX + 20, TOP_PX, width, PLOT_PX)
    _draw_histogram(axes, table)
    return figure


def _draw_legend(figure: Figure) -> None:
    left = float(MARGIN_PX)
    entries = [
        (BLUE, "● images of like confidence"),
        ("#7fb8d8", "▌ 95 % interval of their accuracy"),
        (VERMILLION, "┃ how far from what the model says"),
        (GRAY, "╌ where it says what is so"),
    ]
    for color, words in entries:
        sign, _, rest = words.partition(" ")
        mark = canvas.write_text(figure, left, canvas.HEADING_PX + 6, sign, color=color)
        left += mark.get_window_extent().width + 5
        text = canvas.write_text(figure, left, canvas.HEADING_PX + 6, rest)
        left += text.get_window_extent().width + 22


def _draw_diagram(axes: Axes, filled: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], "--", color=GRAY, linewidth=1.2)
    low, high, accuracy = filled["accuracy_low"], filled["accuracy_high"], filled["accuracy"]
    axes.vlines(filled["confidence"], low, high, color=BLUE, linewidth=5, alpha=0.25)
    axes.vlines(
        filled["confidence"], accuracy, filled["confidence"], color=VERMILLION, linewidth=1.8
    )
    axes.plot(filled["confidence"], accuracy, "o", color=BLUE, markersize=6, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    for name, text in (("x", "confidence: probability of the predicted class"), ("y", "accuracy")):
        _percent_axis(axes, name, text)
    axes.grid(color=LIGHT, linewidth=0.8)
    how: dict[str, Any] = {
        "fontfamily": FONT,
        "fontsize": POINTS,
        "color": GRAY,
        "bbox": {"color": "white"},
    }
    axes.text(0.05, 0.93, "more often right", va="top", zorder=0.5, **how)
    axes.text(0.95, 0.05, "less often right", ha="right", zorder=0.5, **how)


def _draw_histogram(axes: Axes, table: pd.DataFrame) -> None:
    lower, upper = table["confidence_above"], table["confidence_to"]
    bars = axes.bar(
        (lower + upper) / 2, table["examples"], (upper - lower) * 0.86, color=BLUE, log=True
    )
    for bar, count in zip(bars, table["examples"].tolist(), strict=True):
        if count:
            middle = bar.get_x() + bar.get_width() / 2
            how: dict[str, Any] = {
                "fontfamily": FONT,
                "fontsize": 7,
                "ha": "center",
                "va": "bottom",
            }
            axes.text(middle, count * 1.06, _short(count), color=INK, **how)
    axes.set(xlim=(0, 1), ylim=(0.7, max(10, table["examples"].max()) * 2))
    _percent_axis(axes, "x", "confidence: probability of the predicted class")
    axes.set_ylabel("test images (logarithmic)", fontfamily=FONT, fontsize=POINTS)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color=LIGHT, linewidth=0.8)


def _percent_axis(axes: Axes, name: str, text: str) -> None:
    axis = axes.xaxis if name == "x" else axes.yaxis
    axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axis.set_label_text(text, fontfamily=FONT, fontsize=POINTS)


def _short(count: int) -> str:
    """Say a count in at most four characters, so that bars' labels stay apart."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 9950 else f"{count / 1000:.0f}k"
