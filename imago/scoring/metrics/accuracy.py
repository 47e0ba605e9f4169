"""Shares of the test images that are named right."""

from functools import partial

import numpy as np

from imago.scoring import intervals, metric
from imago.scoring.intervals import Interval
from imago.scoring.metric import ByAnswers, ByCounts, Counts, Evaluation, Metric


def accuracy(evaluation: Evaluation) -> float:
    """Compute the share of right answers."""
    right = evaluation.predictions.right
    return int(right.sum()) / len(right)


def interval(evaluation: Evaluation) -> Interval:
    """Compute the 95 % Wilson interval of the accuracy."""
    right = evaluation.predictions.right
    return intervals.wilson(int(right.sum()), len(right))


def balanced_accuracy(evaluation: Evaluation) -> float:
    """Compute the mean recall of the classes that have examples."""
    from sklearn.metrics import recall_score

    found = evaluation.predictions
    present = np.unique(found.labels)  # scikit-learn's own warns of predictions of any other class
    return float(recall_score(found.labels, found.predicted, labels=present, average="macro"))


def balanced_interval(evaluation: Evaluation) -> Interval:
    """Compute the 95 % interval of the balanced accuracy; see `intervals.mean_of_shares`."""
    found = evaluation.predictions
    true = np.bincount(found.labels)
    right = np.bincount(found.labels[found.right], minlength=len(true))
    return intervals.mean_of_shares(right[true > 0], true[true > 0])


def _where_unequal(evaluation: Evaluation, end: int) -> float | None:
    """Return an end of the interval; None where accuracy says the same."""
    is_told = metric.are_unequal(evaluation.predictions.labels)
    return balanced_interval(evaluation)[end] if is_told else None


def balanced_accuracy_of_counts(right: Counts, predicted: Counts, true: Counts) -> Counts:
    """Compute the same of each row of counts."""
    recall = np.divide(right, true, out=np.zeros_like(right), where=true > 0)
    return np.asarray(recall.sum(axis=-1) / (true > 0).sum(axis=-1))


METRICS = (
    Metric(
        name="accuracy",
        title="Accuracy",
        explanation="Share of the test images that are named right.",
        has_column=True,
        kind="share",
        better="higher",
        place=10,
        compute=accuracy,
        compared=ByAnswers(lambda predictions: predictions.right),
        interval=interval,
    ),
    Metric(
        name="accuracy_low",
        title="Accuracy, lower end",
        explanation="The 95 % interval begins here: what as many other test images might have "
        "shown.",
        kind="share",
        better="higher",
        place=10,
        compute=lambda evaluation: interval(evaluation)[0],
    ),
    Metric(
        name="accuracy_high",
        title="Accuracy, upper end",
        explanation="The 95 % interval ends here.",
        kind="share",
        better=None,  # it is high of few test images too
        place=10,
        compute=lambda evaluation: interval(evaluation)[1],
    ),
    Metric(
        name="balanced_accuracy",
        title="Balanced accuracy",
        explanation="Accuracy if every class had as many test images: the mean recall of the "
        "classes.",
        kind="share",
        better="higher",
        place=10,
        compute=balanced_accuracy,
        compared=ByCounts(balanced_accuracy_of_counts),
        interval=balanced_interval,
    ),
    Metric(
        name="balanced_accuracy_low",
        title="Balanced accuracy, lower end",
        explanation="The 95 % interval begins here; it is told where classes have unequal numbers "
        "of test images.",
        kind="share",
        better="higher",
        place=10,
        compute=partial(_where_unequal, end=0),
    ),
    Metric(
        name="balanced_accuracy_high",
        title="Balanced accuracy, upper end",
        explanation="The 95 % interval ends here.",
        kind="share",
        better=None,
        place=10,
        compute=partial(_where_unequal, end=1),
    ),
)
