"""The mistakes that the model is surest of."""

import numpy as np
from matplotlib.figure import Figure

from imago.drawing import choices, tiles
from imago.figures._subject import Subject
from imago.scoring.predictions import Predictions

TITLE = "The surest mistakes"
CAPTION = "Sure and wrong: look for wrong labels and for what misleads the model."
SECTION, PLACE = "answers", 30


def draw(subject: Subject) -> Figure:
    """Draw the mistakes of the greatest probability, or say that there is none."""
    predictions = subject.predictions
    rows, count = surest(predictions, tiles.TILES), int((~predictions.right).sum())
    which = f"The {len(rows)} of {count:,} mistakes" if count > len(rows) else "All mistakes"
    text = f"{which} on {len(predictions.labels):,} test images, the surest first."
    if not count:
        text = f"There is none: all {len(predictions.labels):,} test images are classified right."
    return tiles.with_bars(subject.test.images, predictions, rows, "Most confident mistakes", text)


def surest(predictions: Predictions, most: int) -> choices.Rows:
    """Take up to `most` mistakes of the greatest probability, that first."""
    wrong = np.flatnonzero(~predictions.right)
    return wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:most]
