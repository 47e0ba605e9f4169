"""Curves of a training: loss, accuracy and learning rate by epoch."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from imago.drawing import canvas
from imago.drawing.canvas import BLUE, GREEN, MARGIN_PX, POINTS, VERMILLION
from imago.drawing.fonts import FONT
from imago.figures._subject import Subject

TITLE = "Learning curves"
CAPTION = (
    "Curves that still move at the right end would gain from more epochs; where there is "
    "validation, that it drifts from training means that images are learnt by heart."
)
SECTION, PLACE = "training", 10

HEIGHT_PX, PLOT_PX, PLOT_WIDTH_PX, STEP_PX = 360, 220, 226, 296
MARKED_EPOCHS = 40
"""Up to so many, each epoch has a marker."""


def draw(subject: Subject) -> Figure:
    """Draw the curves of history.csv, whose validation columns may be empty."""
    history = subject.history
    figure = canvas.blank(canvas.WIDTH_PX, HEIGHT_PX)
    canvas.heading(figure, "Training", _described(history))
    panels = (("loss", "Loss (nats)"), ("accuracy", "Accuracy"), ("learning_rate", "Learning rate"))
    for column, (name, title) in enumerate(panels):
        left = MARGIN_PX + 46 + column * STEP_PX
        axes = canvas.place(figure, left, canvas.HEADING_PX + 32, PLOT_WIDTH_PX, PLOT_PX)
        axes.set_title(title, fontfamily=FONT, fontsize=POINTS, fontweight="bold", loc="left")
        if name == "learning_rate":
            _line(axes, history, name, GREEN, "D", "-")
        else:
            _line(axes, history, name, BLUE, "o", "-")
            _line(axes, history, f"validation_{name}", VERMILLION, "s", "--")
        _scale(axes, history["epoch"], from_zero=name != "accuracy")
    _legend(figure, history)
    return figure


def _line(axes: Axes, history: pd.DataFrame, name: str, color: str, marker: str, line: str) -> None:
    marked = len(history) <= MARKED_EPOCHS
    axes.plot(
        history["epoch"],
        history[name].astype(float),
        line,
        color=color,
        marker=marker if marked else None,
        markersize=3.5 if len(history) > 1 else 7,
        linewidth=1.6,
        clip_on=False,
    )


def _scale(axes: Axes, epochs: pd.Series, *, from_zero: bool) -> None:
    first, last = int(epochs.min()), int(epochs.max())
    axes.set_xlim(first - 0.5, last + 0.5) if last - first < 2 else axes.set_xlim(first, last)
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("epoch", fontfamily=FONT, fontsize=POINTS)
    axes.grid(color=canvas.LIGHT, linewidth=0.8)
    axes.margins(y=0.08)
    if from_zero:
        axes.set_ylim(bottom=0)
    elif first == last:
        axes.set_ylim(0, 1)  # one value gives no scale


def _described(history: pd.DataFrame) -> str:
    last = history.iloc[-1]
    text = f"{len(history)} epochs" if len(history) > 1 else "One epoch"
    text += f"; in the last, training loss {last['loss']:.4f}, "
    text += f"accuracy {100 * last['accuracy']:.2f} %"
    if history["validation_accuracy"].notna().any():
        return text + (
            f"; validation loss {last['validation_loss']:.4f}, "
            f"accuracy {100 * last['validation_accuracy']:.2f} %."
        )
    return text + ". There were no validation images."


def _legend(figure: Figure, history: pd.DataFrame) -> None:
    """Name the lines; those of training are of the epoch's own batches, as it went on."""
    entries = [("●", "training, while its weights changed", BLUE)]
    if history["validation_accuracy"].notna().any():
        entries.append(("■", "validation, after the epoch (dashed)", VERMILLION))
    left = float(MARGIN_PX)
    for sign, words, color in entries:
        text = canvas.write_text(
            figure, left, canvas.HEADING_PX - 8, f"{sign} {words}", color=color
        )
        left += text.get_window_extent().width + 24
