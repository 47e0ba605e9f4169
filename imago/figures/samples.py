"""Samples of each class of the training data."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago.drawing import canvas, choices, sheets
from imago.drawing.canvas import MARGIN_PX, SMALL_POINTS
from imago.figures._subject import Subject

TITLE = "Samples of each class"
CAPTION = "What the classes look like at the model's size."
SECTION, PLACE = "data", 10

ROWS, TILES, TILE_COLUMNS = 12, 48, 8
"""At most the classes with a row of samples; of more, so many have one sample."""
GAP_PX, NAME_PX, LINE_PX = 4, 130, 15
PHOTOS_PX = 200_000
"""At most the area of images that are not enlarged: 150 kB."""


def draw(subject: Subject) -> Figure:
    """Draw some training images of each class, without their augmented copies."""
    step = 1 + subject.data.views
    images, labels = subject.train.images[::step], subject.train.labels[::step]
    of_classes = _rows_of_samples if len(subject.classes) <= ROWS else _tiles_of_samples
    return of_classes(images, labels, subject.classes)


def _rows_of_samples(
    images: NDArray[np.uint8], labels: NDArray[np.integer], classes: Sequence[str]
) -> Figure:
    room, shape = canvas.WIDTH_PX - NAME_PX - 2 * MARGIN_PX, images.shape[1:]
    columns = 7 if len(classes) <= 4 else 8
    cell = _cell_px(shape, room // columns - GAP_PX, len(classes) * columns)
    step = cell + GAP_PX
    if cell > max(shape):  # enlarged images cost few bytes
        columns = room // step
    height = canvas.HEADING_PX + len(classes) * step + GAP_PX
    sheet = sheets.Sheet.blank(2 * MARGIN_PX + NAME_PX + columns * step, height)
    text = f"{len(labels):,} training images; below the name of each class, how many it has."
    canvas.heading(sheet.figure, TITLE, text)
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    for row, (name, count) in enumerate(zip(classes, counts, strict=True)):
        top, left = canvas.HEADING_PX + row * step, MARGIN_PX + NAME_PX
        _name_and_count(sheet, left - 12, top, cell, name, count)
        for column, index in enumerate(_samples_of(labels, row, columns)):
            sheet.image(left + column * step, top, sheets.shown(images[index], cell))
    return sheet.finish()


def _cell_px(image_shape: tuple[int, ...], room_px: int, count: int) -> int:
    """Return the side of each of `count` samples: of photos, what PHOTOS_PX allows."""
    cell = sheets.cell_px(image_shape, room_px)
    return cell if cell > max(image_shape) else min(cell, math.isqrt(PHOTOS_PX // count))


def _name_and_count(
    sheet: sheets.Sheet, right: float, top: float, cell: int, name: str, count: int
) -> None:
    """Write a name and a number below it, together in the middle of the height of a cell."""
    how = {"align": "right", "width_px": NAME_PX - 12}
    middle, lines = top + (cell - LINE_PX) / 2, max(1, cell // LINE_PX - 1)
    text = sheet.text(right, middle, name, hang="center", lines=lines, bold=True, **how)
    below = middle + text.get_window_extent().height / 2 + 3
    sheet.text(right, below, f"{count:,}", color=canvas.GRAY, points=SMALL_POINTS, **how)


def _tiles_of_samples(
    images: NDArray[np.uint8], labels: NDArray[np.integer], classes: Sequence[str]
) -> Figure:
    shown = choices.evenly(len(classes), TILES)
    room = (canvas.WIDTH_PX - 2 * MARGIN_PX) // TILE_COLUMNS
    cell = _cell_px(images.shape[1:], room - 3 * GAP_PX, len(shown))
    height = cell + 2 * LINE_PX + 3 * GAP_PX
    lines = -(-len(shown) // TILE_COLUMNS)
    sheet = sheets.Sheet.blank(canvas.WIDTH_PX, canvas.HEADING_PX + lines * height)
    counts = np.bincount(labels, minlength=len(classes))
    text = f"{len(labels):,} training images of {len(classes)} classes, "
    text += f"{counts.min():,} to {counts.max():,} of each."
    if len(shown) < len(classes):
        text += f" {len(shown)} of the classes are shown."
    canvas.heading(sheet.figure, "A sample of each class", text)
    how = {"points": SMALL_POINTS, "width_px": room - 2 * GAP_PX, "lines": 2}
    for place, label in enumerate(shown.tolist()):
        row, column = divmod(place, TILE_COLUMNS)
        left, top = MARGIN_PX + column * room, canvas.HEADING_PX + row * height
        for index in _samples_of(labels, label, 1):
            sheet.image(left, top, sheets.shown(images[index], cell))
        sheet.text(left, top + cell + 2, classes[label], **how)
    return sheet.finish()


def _samples_of(labels: NDArray[np.integer], label: int, most: int) -> list[int]:
    """Take up to `most` examples of a class, at even distances."""
    rows = np.flatnonzero(labels == label)
    chosen: list[int] = rows[choices.evenly(len(rows), most)].tolist()
    return chosen
