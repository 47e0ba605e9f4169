"""Predictions of a model that was never there."""

import string
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from imago.scoring import metric
from imago.scoring.metric import Evaluation
from imago.scoring.predictions import Predictions, make

PARAMETERS = 12


def predictions(
    labels: ArrayLike, probabilities: np.ndarray, classes: Sequence[str] = string.ascii_letters
) -> Predictions:
    """What a model says with these probabilities; the images are numbered."""
    identities = np.arange(len(probabilities), dtype=np.uint64)
    names = classes[: probabilities.shape[1]]
    return make(np.asarray(labels), probabilities, names, identities)


def evaluation(labels: ArrayLike, probabilities: np.ndarray) -> Evaluation:
    """From which metrics are computed."""
    return Evaluation(predictions(labels, probabilities), PARAMETERS)


def value(name: str, labels: ArrayLike, probabilities: np.ndarray) -> float | int | None:
    """What a metric is."""
    return metric.named(name).compute(evaluation(labels, probabilities))
