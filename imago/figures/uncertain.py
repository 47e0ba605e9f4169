"""The test images that the model is least sure of."""

import numpy as np
from matplotlib.figure import Figure

from imago.drawing import choices, tiles
from imago.figures._subject import Subject
from imago.scoring.predictions import Predictions

TITLE = "The least certain images"
CAPTION = "Where the model can hardly decide; would you?"
SECTION, PLACE = "answers", 40


def draw(subject: Subject) -> Figure:
    """Draw the images whose predicted class has the smallest probability."""
    predictions = subject.predictions
    rows = least_certain(predictions, tiles.TILES)
    text = (
        f"The {len(rows)} of {len(predictions.labels):,} test images whose predicted class has the "
        "smallest probability, right or wrong, the least certain first."
    )
    return tiles.with_bars(subject.test.images, predictions, rows, "Least certain images", text)


def least_certain(predictions: Predictions, most: int) -> choices.Rows:
    """Take up to `most` examples of the smallest probability, that first."""
    return np.argsort(predictions.confidence, kind="stable")[:most]
