"""How far probabilities are from what comes true."""

import numpy as np
from numpy.typing import NDArray

from imago.scoring import intervals
from imago.scoring.metric import ByValues, Evaluation, Metric
from imago.scoring.predictions import Predictions

ROWS_AT_ONCE = 1024


def brier_score(evaluation: Evaluation) -> float:
    """Compute the mean of an example's squared errors, added up over the classes, from 0 to 2.

    With two classes it is twice the score of the one probability that is often given for them.

    Source: Brier, Monthly Weather Review 78 (1950) 1-3.
    """
    # float32 adds up to 1 only to 1e-6
    return float(_squared_distances(evaluation.predictions, adding_up=True).mean())


def brier_scores(predictions: Predictions) -> NDArray[np.float64]:
    """Compute the squared distance of each example's probabilities from the truth, (N,)."""
    return _squared_distances(predictions, adding_up=False)


def _squared_distances(predictions: Predictions, *, adding_up: bool) -> NDArray[np.float64]:
    """Compute them some rows at a time: of many classes, float64 of all would be gigabytes.

    Args:
        predictions: Of the test split.
        adding_up: Whether each row is first divided by its sum.
    """
    found = np.empty(len(predictions.labels))
    for start in range(0, len(found), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        distance = predictions.probabilities[rows].astype(np.float64)
        if adding_up:
            distance /= distance.sum(axis=1, keepdims=True)
        distance[np.arange(len(distance)), predictions.labels[rows]] -= 1
        found[rows] = (distance**2).sum(axis=1)
    return found


def expected_error(evaluation: Evaluation) -> float:
    """Compute the expected calibration error, from 0 to 1.

    That is the mean over the bins of `calibration.reliability` of how far the accuracy is from the
    confidence, each bin counting as often as it has examples.
    """
    from imago.scoring import calibration

    found = evaluation.predictions
    examples, confidence, right = calibration.sums(found.labels, found.probabilities)
    return float(np.abs(confidence - right).sum() / examples.sum())


METRICS = (
    Metric(
        name="brier_score",
        title="Brier score",
        explanation="Mean squared error of the probabilities, 0 to 2; lower is better.",
        kind="number",
        better="lower",
        place=60,
        compute=brier_score,
        compared=ByValues(brier_scores),
        interval=lambda evaluation: intervals.mean(brier_scores(evaluation.predictions)),
    ),
    Metric(
        name="expected_calibration_error",
        title="Calibration error",
        explanation="How far stated probabilities are from how often they come true, on average; "
        "0 is best.",
        has_column=True,
        in_short="How far stated probabilities are from how often they come true; lower is better.",
        kind="share",
        better="lower",
        place=60,
        compute=expected_error,
    ),
)
