"""How often the true class is among the most probable ones."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from imago.scoring import intervals
from imago.scoring.intervals import Interval
from imago.scoring.metric import Evaluation, Metric

ABOVE = {3: 5, 5: 10}
"""k: of how many classes top-k says something, more than these."""
WORDS = {3: "three", 5: "five"}


def accuracy(evaluation: Evaluation, k: int) -> float:
    """Compute the share of examples whose class is among the k most probable.

    Of equal probabilities the first counts as greater, as for accuracy, which is that of k = 1.
    """
    return float(_among(evaluation, k).mean())


def interval(evaluation: Evaluation, k: int) -> Interval:
    """Compute the 95 % Wilson interval of the same."""
    among = _among(evaluation, k)
    return intervals.wilson(int(among.sum()), len(among))


def _among(evaluation: Evaluation, k: int) -> NDArray[np.bool_]:
    found = evaluation.predictions
    of_truth, labels = found.of_truth[:, np.newaxis], found.labels[:, np.newaxis]
    greater = found.probabilities > of_truth
    greater |= (found.probabilities == of_truth) & (np.arange(len(found.classes)) < labels)
    return np.asarray(greater.sum(axis=1) < k)


def _where_classes_are_many(evaluation: Evaluation, k: int) -> float | None:
    is_told = len(evaluation.predictions.classes) > ABOVE[k]
    return accuracy(evaluation, k) if is_told else None


METRICS = tuple(
    Metric(
        name=f"top_{k}_accuracy",
        title=f"Top-{k} accuracy",
        explanation=f"How often the true class is among the {WORDS[k]} most probable.",
        kind="share",
        better="higher",
        place=20,
        compute=partial(_where_classes_are_many, k=k),
        interval=partial(interval, k=k),
    )
    for k in ABOVE
)
