"""How far probabilities are from what comes true."""

import numpy as np
from numpy.typing import NDArray

from imago.scoring import intervals
from imago.scoring.metric import ByValues, Evaluation, Metric
from imago.scoring.predictions import Predictions


def brier_score(evaluation: Evaluation) -> float:
    """Compute the mean of an example's squared errors, added up over the classes, from 0 to 2.

    With two classes it is twice the score of the one probability that is often given for them.

    Source: Brier, Monthly Weather Review 78 (1950) 1-3.
    """
    from sklearn.metrics import brier_score_loss

    found = evaluation.predictions
    whole = found.probabilities.astype(np.float64)
    whole /= whole.sum(axis=1, keepdims=True)  # float32 adds up to 1 only to 1e-6
    classes = np.arange(len(found.classes))
    return float(brier_score_loss(found.labels, whole, labels=classes, scale_by_half=False))


def brier_scores(predictions: Predictions) -> NDArray[np.float64]:
    """Compute the squared distance of each example's probabilities from the truth, (N,)."""
    distance = predictions.probabilities - np.eye(len(predictions.classes))[predictions.labels]
    return np.asarray((distance**2).sum(axis=1))


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
