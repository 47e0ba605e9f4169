"""Samples of each class of the training data."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago.figures import canvas, choices, sheets
from imago.figures.canvas import MARGIN_PX, SMALL_POINTS

ROWS, TILES, TILE_COLUMNS = 12, 48, 8
"""At most the classes with a row of samples; of more, so many have one sample."""
GAP_PX, NAME_PX, LINE_PX = 4, 130, 15
PHOTOS_PX = 250_000
"""At most the area of images that are not enlarged: 170 kB."""


def samples(
    images: NDArray[np.uint8], labels: NDArray[np.integer], classes: Sequence[str]
) -> Figure:
    """Draw some images of each class.

    Args:
        images: (N, H, W, C) uint8; may be memory-mapped.
        labels: (N,) positions in `classes`.
        classes: Names; of more than TILES, so many at even distances are shown.
    """
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) <= ROWS:
        return _rows_of_samples(images, labels, classes, counts)
    return _tiles_of_samples(images, labels, classes, counts)


def _rows_of_samples(
    images: NDArray[np.uint8],
    labels: NDArray[np.integer],
    classes: Sequence[str],
    counts: NDArray[np.intp],
) -> Figure:
    columns = 7 if len(classes) <= 4 else 10
    room = (canvas.WIDTH_PX - NAME_PX - 2 * MARGIN_PX) // columns - GAP_PX
    cell = _cell_of_samples(images.shape[1:], room, len(classes) * columns)
    step = cell + GAP_PX
    columns = max(columns, (canvas.WIDTH_PX - NAME_PX - 2 * MARGIN_PX) // step)
    sheet = sheets.Sheet.blank(canvas.WIDTH_PX, canvas.HEADING_PX + len(classes) * step + GAP_PX)
    canvas.heading(sheet.figure, "Samples of each class", _described(labels, len(classes)))
    for row, name in enumerate(classes):
        top, left = canvas.HEADING_PX + row * step, MARGIN_PX + NAME_PX
        lines = max(1, cell // LINE_PX - 1)
        _name_and_count(sheet, left - 12, top + cell / 2, name, int(counts[row]), lines)
        for column, index in enumerate(_samples_of(labels, row, columns)):
            sheet.image(left + column * step, top, sheets.shown(images[index], cell))
    return sheet.finish()


def _cell_of_samples(image_shape: tuple[int, ...], room_px: int, count: int) -> int:
    """Give the side of a sample: small images are enlarged for nothing, large ones cost bytes."""
    if max(image_shape) <= room_px:
        return sheets.cell_px(image_shape, room_px)
    return min(room_px, math.isqrt(PHOTOS_PX // count))


def _name_and_count(
    sheet: sheets.Sheet, right: float, middle: float, name: str, count: int, lines: int
) -> None:
    how = {"align": "right", "width_px": NAME_PX - 12}
    text = sheet.text(
        right, middle - LINE_PX / 2, name, hang="center", lines=lines, bold=True, **how
    )
    below = middle - LINE_PX / 2 + text.get_window_extent().height / 2 + 3
    sheet.text(right, below, f"{count:,}", color=canvas.GRAY, points=SMALL_POINTS, **how)


def _tiles_of_samples(
    images: NDArray[np.uint8],
    labels: NDArray[np.integer],
    classes: Sequence[str],
    counts: NDArray[np.intp],
) -> Figure:
    shown = choices.evenly(len(classes), TILES)
    room = (canvas.WIDTH_PX - 2 * MARGIN_PX) // TILE_COLUMNS
    cell = _cell_of_samples(images.shape[1:], room - 3 * GAP_PX, len(shown))
    height = cell + 2 * LINE_PX + 3 * GAP_PX
    lines = -(-len(shown) // TILE_COLUMNS)
    sheet = sheets.Sheet.blank(canvas.WIDTH_PX, canvas.HEADING_PX + lines * height)
    text = _described(labels, len(classes))
    if len(shown) < len(classes):
        text += f" {len(shown)} of the {len(classes)} classes are shown."
    canvas.heading(sheet.figure, "A sample of each class", text)
    for place, label in enumerate(shown.tolist()):
        row, column = divmod(place, TILE_COLUMNS)
        left, top = MARGIN_PX + column * room, canvas.HEADING_PX + row * height
        for index in _samples_of(labels, label, 1):
            sheet.image(left, top, sheets.shown(images[index], cell))
        sheet.text(
            left,
            top + cell + 2,
            f"{classes[label]} ({counts[label]:,})",
            points=SMALL_POINTS,
            width_px=room - 2 * GAP_PX,
            lines=2,
        )
    return sheet.finish()


def _samples_of(labels: NDArray[np.integer], label: int, most: int) -> list[int]:
    rows = np.flatnonzero(labels == label)
    return rows[choices.evenly(len(rows), most)].tolist() if len(rows) else []


def _described(labels: NDArray[np.integer], class_count: int) -> str:
    return f"{len(labels):,} training images of {class_count} classes; with each, how many it has."
