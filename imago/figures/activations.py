"""Where in test images a convolutional model finds what speaks for the class that it predicts."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago import activation_maps
from imago.drawing import choices, sheets, tiles
from imago.drawing.canvas import GRAY, RIGHT, SMALL_POINTS, WRONG
from imago.figures._subject import Subject
from imago.scoring.predictions import Predictions

TITLE = "Where the model looks"
CAPTION = "Bright areas speak most for the answer; they should lie on the object."
SECTION, PLACE = "answers", 50

TILES, GAP_PX = 9, 8
STRIP_PX = 80


def draw(subject: Subject) -> Figure | None:
    """Look at some test images with the model, if it is convolutional."""
    if not subject.settings.train.convolutional:
        return None
    predictions = subject.predictions
    rows = np.concatenate(choices.right_and_wrong(predictions, TILES))
    images = subject.test.images[rows]
    maps = activation_maps.compute(subject.model, images, predictions.predicted[rows])
    return beside(images, maps, predictions, rows)


def beside(
    images: NDArray[np.uint8],
    maps: activation_maps.Maps,
    predictions: Predictions,
    rows: choices.Rows,
) -> Figure:
    """Draw examples, each beside what its activation map marks in it.

    Args:
        images: (n, H, W, C) uint8, those of `rows`.
        maps: (n, h, w) float32, 0..1, of the predicted classes.
        predictions: Of all examples.
        rows: Which of them are drawn.
    """
    marked = activation_maps.overlay(images, maps)
    room = tiles.room_px(images.shape[1:])
    place = {index: number for number, index in enumerate(rows.tolist())}

    def content(sheet: sheets.Sheet, left: int, top: int, index: int) -> None:
        image, beside = (sheets.shown(which[place[index]], room) for which in (images, marked))
        sheet.framed(left, top, image, RIGHT if predictions.right[index] else WRONG)
        sheet.image(left + image.shape[1] + GAP_PX, top, beside)

    text = (
        f"{tiles.describe(predictions, rows)} Beside each image: where the model finds what speaks "
        "for its answer (Grad-CAM)."
    )
    title, height = "What the model looks at", sheets.cell_px(images.shape[1:], room)
    return tiles.grid(predictions, rows, height, title, text, content, _draw_legend)


def _draw_legend(sheet: sheets.Sheet, left: int, top: int) -> None:
    """Explain the colours of the maps with a strip of them over gray."""
    gray = np.full((1, 12, STRIP_PX, 1), 128, np.uint8)
    ramp = np.linspace(0, 1, STRIP_PX, dtype=np.float32)[np.newaxis, np.newaxis]
    words = sheet.text(left, top, "nothing", points=SMALL_POINTS, color=GRAY)
    left += round(words.get_window_extent().width) + 6
    sheet.image(left, top + 2, activation_maps.overlay(gray, ramp)[0])
    sheet.text(left + STRIP_PX + 6, top, "most for the answer", points=SMALL_POINTS, color=GRAY)
