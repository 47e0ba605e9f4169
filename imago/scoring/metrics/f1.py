"""Means over the classes of F1, the harmonic mean of precision and recall."""

from collections.abc import Callable
from functools import partial

import numpy as np

from imago.scoring import intervals
from imago.scoring.intervals import Interval
from imago.scoring.metric import ByCounts, Counts, Evaluation, Metric


def mean(evaluation: Evaluation, average: str) -> float:
    """Compute the mean over the classes, that of a class neither true nor predicted being 0.

    Args:
        evaluation: Of the model.
        average: macro, or weighted by the classes' examples.
    """
    from sklearn.metrics import f1_score

    found = evaluation.predictions
    classes = np.arange(len(found.classes))
    return float(
        f1_score(found.labels, found.predicted, labels=classes, average=average, zero_division=0)
    )


def interval(of: Callable[[Counts, Counts, Counts], Counts], evaluation: Evaluation) -> Interval:
    """Compute the 95 % interval of a mean by the bootstrap."""
    found = evaluation.predictions
    return intervals.of_counts(of, found.labels, found.predicted, len(found.classes))


def macro_of_counts(right: Counts, predicted: Counts, true: Counts) -> Counts:
    """Compute the mean of each row of counts."""
    return np.asarray(_of_classes(right, predicted, true).mean(axis=-1))


def weighted_of_counts(right: Counts, predicted: Counts, true: Counts) -> Counts:
    """Compute the mean of each row of counts, each class with the weight of its examples."""
    return np.asarray((_of_classes(right, predicted, true) * true).sum(axis=-1) / true.sum(axis=-1))


def _of_classes(right: Counts, predicted: Counts, true: Counts) -> Counts:
    of_both = predicted + true
    return np.divide(2 * right, of_both, out=np.zeros_like(right), where=of_both > 0)


METRICS = (
    Metric(
        name="macro_f1",
        title="Macro F1",
        explanation="Mean over the classes of F1, which is high where both precision and recall "
        "are.",
        has_column=True,
        in_short="Mean over the classes of F1.",
        kind="share",
        better="higher",
        place=30,
        compute=lambda evaluation: mean(evaluation, "macro"),
        compared=ByCounts(macro_of_counts),
        interval=partial(interval, macro_of_counts),
    ),
    Metric(
        name="weighted_f1",
        title="Weighted F1",
        explanation="The same, each class counting as often as it has test images.",
        kind="share",
        better="higher",
        place=30,
        compute=lambda evaluation: mean(evaluation, "weighted"),
        compared=ByCounts(weighted_of_counts),
        interval=partial(interval, weighted_of_counts),
    ),
)
