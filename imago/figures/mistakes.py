"""The mistakes that the model is surest of."""

import numpy as np
from matplotlib.figure import Figure

from imago.drawing import choices, tiles
from imago.figures._subject import Subject
from imago.scoring.outcomes import Outcomes

TITLE = "The surest mistakes"
CAPTION = "Sure and wrong: look for wrong labels and for what misleads the model."
SECTION, PLACE = "answers", 30


def draw(subject: Subject) -> Figure:
    """Draw the mistakes of the greatest probability, or say that there is none."""
    outcomes = subject.outcomes
    rows, count = surest(outcomes, tiles.TILES), int((~outcomes.right).sum())
    which = f"The {len(rows)} of {count:,} mistakes" if count > len(rows) else "All mistakes"
    text = f"{which} on {len(outcomes.labels):,} test images, the surest first."
    if not count:
        text = f"There is none: all {len(outcomes.labels):,} test images are classified right."
    return tiles.with_bars(subject.test.images, outcomes, rows, "Most confident mistakes", text)


def surest(outcomes: Outcomes, most: int) -> choices.Rows:
    """Take up to `most` mistakes of the greatest probability, that first."""
    wrong = np.flatnonzero(~outcomes.right)
    return wrong[np.argsort(-outcomes.confidence[wrong], kind="stable")][:most]
