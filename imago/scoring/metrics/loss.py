"""Cross-entropy: -ln p(true class), in nats."""

import numpy as np
from numpy.typing import NDArray

from imago.scoring import intervals
from imago.scoring.metric import ByValues, Evaluation, Metric
from imago.scoring.predictions import Predictions

LEAST_PROBABILITY = 1e-7
"""At which the probability of the true class is held, as Keras does."""


def mean(evaluation: Evaluation) -> float:
    """Compute the mean over the examples."""
    return float(np.log(1 / _of_truth(evaluation.predictions)).mean())


def of_each(predictions: Predictions) -> NDArray[np.float64]:
    """Compute the loss of each example, (N,)."""
    return -np.log(_of_truth(predictions))


def _of_truth(predictions: Predictions) -> NDArray[np.float64]:
    return np.maximum(predictions.of_truth.astype(np.float64), LEAST_PROBABILITY)


METRICS = (
    Metric(
        name="loss",
        title="Loss",
        explanation="Cross-entropy in nats: how surprised it is by the true classes; lower is "
        "better.",
        kind="number",
        better="lower",
        place=50,
        compute=mean,
        compared=ByValues(of_each),
        interval=lambda evaluation: intervals.mean(of_each(evaluation.predictions)),
    ),
)
