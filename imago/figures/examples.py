"""Some test images, right and wrong."""

import numpy as np
from matplotlib.figure import Figure

from imago.drawing import choices, tiles
from imago.figures._subject import Subject

TITLE = "Some test images"
CAPTION = "Right and wrong answers in two colours, with how probable the model found each class."
SECTION, PLACE = "answers", 20


def draw(subject: Subject) -> Figure:
    """Draw test images, half of them right and half wrong as far as there are so many."""
    predictions = subject.predictions
    rows = np.concatenate(choices.right_and_wrong(predictions, tiles.TILES))
    text = tiles.describe(predictions, rows)
    return tiles.with_bars(subject.test.images, predictions, rows, "Test images", text)
