"""Test images with the predicted and the true class, and how probable the model found each."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago.drawing import canvas, choices, sheets
from imago.drawing.canvas import GRAY, INK, LIGHT, MARGIN_PX, RIGHT, SMALL_POINTS, WRONG
from imago.scoring.predictions import Predictions

TILES, COLUMNS = 12, 3
BARS, BAR_PX, BAR_STEP_PX = 5, 6, 22
GAP_PX, TITLES_PX, LEGEND_PX = 22, 38, 26
NAME_CHARACTERS, NAME_SHARE = 18, 0.5
"""Of the name of a tile's file, its end; and its share, at most, of the tile's width."""
TILE_PX = (canvas.WIDTH_PX - 2 * MARGIN_PX - (COLUMNS - 1) * GAP_PX) // COLUMNS


Legend = Callable[[sheets.Sheet, int, int], None]
"""Draws from a place on, (left, top), what explains the contents of the tiles."""


class Content(Protocol):
    """Draws what a tile shows below its titles, from a place on."""

    def __call__(self, sheet: sheets.Sheet, left: int, top: int, index: int, /) -> None:
        """Draw the content of the tile of `index`."""


def room_px(image_shape: tuple[int, ...]) -> int:
    """Return the room for an image: more for small ones, which are enlarged by whole factors."""
    return 128 if max(image_shape) <= 64 else 104


def describe(predictions: Predictions, rows: choices.Rows) -> str:
    """Say how many of the right and of the wrong examples are shown."""
    right, wrong = int(predictions.right.sum()), int((~predictions.right).sum())
    shown = int(predictions.right[rows].sum())
    return (
        f"{shown} of the {right:,} that are classified right and {len(rows) - shown} of the "
        f"{wrong:,} that are not, taken from as many classes as there is room for."
    )


def with_bars(
    images: NDArray[np.uint8], predictions: Predictions, rows: choices.Rows, title: str, text: str
) -> Figure:
    """Draw some test images, each with its most probable classes as bars.

    Args:
        images: (N, H, W, C) uint8, those of `predictions`; may be memory-mapped.
        predictions: What the model said of them.
        rows: Positions of those to draw.
        title: Of the figure.
        text: Below the title.
    """
    count = len(predictions.classes)
    if count > BARS:
        text += f" Bars: {BARS} of {count} classes, the most probable and the true one."
    room = room_px(images.shape[1:])

    def content(sheet: sheets.Sheet, left: int, top: int, index: int) -> None:
        image = sheets.shown(images[index], room)
        sheet.framed(left, top, image, RIGHT if predictions.right[index] else WRONG)
        _draw_bars(sheet, left + image.shape[1] + 14, left + TILE_PX, top, predictions, index)

    height = max(sheets.cell_px(images.shape[1:], room), BARS * BAR_STEP_PX)
    return grid(predictions, rows, height, title, text, content, _draw_legend_of_bars)


def grid(
    predictions: Predictions,
    rows: choices.Rows,
    content_px: int,
    title: str,
    text: str,
    content: Content,
    legend: Legend,
) -> Figure:
    """Draw a tile for each of some examples: its predicted and true class, and a content.

    Args:
        predictions: Of all examples.
        rows: Positions of those to draw.
        content_px: Height of a tile's content.
        title: Of the figure.
        text: Below the title.
        content: Draws what is below a tile's titles; knows its width, TILE_PX.
        legend: Draws what explains the content, after what explains the titles.
    """
    lines = -(-len(rows) // COLUMNS)
    tile_height = TITLES_PX + content_px + GAP_PX
    top = canvas.HEADING_PX + (LEGEND_PX if len(rows) else 0)
    sheet = sheets.Sheet.blank(canvas.WIDTH_PX, top + lines * tile_height)
    canvas.heading(sheet.figure, title, text)
    if len(rows):
        after = _draw_legend(sheet, canvas.HEADING_PX, bool(predictions.photos))
        legend(sheet, after, canvas.HEADING_PX)
    for place, index in enumerate(rows.tolist()):
        line, column = divmod(place, COLUMNS)
        left = MARGIN_PX + column * (TILE_PX + GAP_PX)
        _draw_titles(sheet, left, top + line * tile_height, predictions, index)
        content(sheet, left, top + line * tile_height + TITLES_PX, index)
    return sheet.finish()


def _draw_legend(sheet: sheets.Sheet, top: int, named: bool) -> int:
    """Explain the colours of the titles, of photos with names, and return the place after that."""
    left = MARGIN_PX
    for color, sign, words in (
        (RIGHT, canvas.RIGHT_SIGN, "the true class"),
        (WRONG, canvas.WRONG_SIGN, "predicted, but wrong"),
        (GRAY, "", "file") if named else (GRAY, "#", "row in the table of predictions"),
    ):
        text = sheet.text(left, top, f"{sign} {words}".lstrip(), points=SMALL_POINTS, color=color)
        left += round(text.get_window_extent().width) + 22
    return left


def _draw_legend_of_bars(sheet: sheets.Sheet, left: int, top: int) -> None:
    """Explain the bars by three of them."""
    for color in (RIGHT, WRONG, GRAY):
        sheet.box(left, top + 5, 14, BAR_PX, color)
        left += 17
    words = "their probabilities, and those of others"
    sheet.text(left + 4, top, words, points=SMALL_POINTS, color=GRAY)


def _draw_titles(
    sheet: sheets.Sheet, left: int, top: int, predictions: Predictions, index: int
) -> None:
    true, predicted = (
        predictions.classes[which[index]] for which in (predictions.labels, predictions.predicted)
    )
    how = {"points": SMALL_POINTS, "color": GRAY, "align": "right"}
    if predictions.photos:
        name = predictions.photos[index].rpartition("/")[2]
        name = name if len(name) <= NAME_CHARACTERS else f"…{name[1 - NAME_CHARACTERS :]}"
        number = sheet.text(left + TILE_PX, top, name, width_px=TILE_PX * NAME_SHARE, **how)
    else:
        number = sheet.text(left + TILE_PX, top, f"#{index}", **how)
    width = TILE_PX - number.get_window_extent().width - 8
    sign, color = (
        (canvas.RIGHT_SIGN, RIGHT) if predictions.right[index] else (canvas.WRONG_SIGN, WRONG)
    )
    words = f"{sign} predicted: {predicted}"
    sheet.text(left, top, words, color=color, bold=True, width_px=width)
    words = f"{canvas.RIGHT_SIGN} true: {true}"
    sheet.text(left, top + 16, words, color=RIGHT, width_px=TILE_PX)


def _draw_bars(
    sheet: sheets.Sheet, left: int, right: int, top: int, predictions: Predictions, index: int
) -> None:
    """Draw the most probable classes and the true one, each a line of text above its bar."""
    probabilities, true = predictions.probabilities[index], int(predictions.labels[index])
    for row, label in enumerate(bars_of(probabilities, true)):
        sign, color, ink = "", GRAY, INK
        if label == true:
            sign, color, ink = f"{canvas.RIGHT_SIGN} ", RIGHT, RIGHT
        elif row == 0:
            sign, color, ink = f"{canvas.WRONG_SIGN} ", WRONG, WRONG
        share, y = float(probabilities[label]), top + row * BAR_STEP_PX
        number = sheet.text(
            right, y - 5, canvas.percent(share), points=SMALL_POINTS, color=ink, align="right"
        )
        width = right - left - number.get_window_extent().width - 6
        name = sign + predictions.classes[label]
        sheet.text(left, y - 5, name, points=SMALL_POINTS, color=ink, width_px=width)
        sheet.box(left, y + 10, right - left, BAR_PX, LIGHT)
        sheet.box(left, y + 10, round(share * (right - left)), BAR_PX, color)


def bars_of(probabilities: NDArray[np.float32], true: int) -> list[int]:
    """Choose the classes that get a bar: up to BARS, the most probable first, and the true one."""
    order: list[int] = np.argsort(-probabilities, kind="stable").tolist()
    shown = order[:BARS]
    return shown if true in shown else [*shown[:-1], true]
