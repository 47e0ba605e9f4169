"""Figures that say how good a classifier is, from its probabilities on a split."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

from imago.core.errors import DataError
from imago.scoring import calibration, intervals, roc

TOP_K_ABOVE = {3: 5, 5: 10}
"""k: of how many classes top-k says something, more than these."""


def check(probabilities: np.ndarray) -> None:
    """Refuse what is no probabilities.

    Args:
        probabilities: (N, K).

    Raises:
        DataError: A row has an element below 0 or that is no number, or adds up to more or less
            than 1 by over 0.001.
    """
    sums = probabilities.sum(axis=1, dtype=np.float64)
    good = (probabilities >= 0).all(axis=1) & (np.abs(sums - 1) <= 1e-3)  # of NaN neither is true
    if not good.all():
        row = int(np.argmin(good))
        got = ", ".join(f"{value:g}" for value in probabilities[row, :5])
        message = (
            f"example {row}: the model's output must be probabilities that add up to 1, "
            f"got {got}{', …' if probabilities.shape[1] > 5 else ''}; train the model again"
        )
        raise DataError(message)


def summary(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | int]:
    """Return the flat figures of `metrics/<experiment>.json`.

    Args:
        labels: (N,) integers in 0..K-1.
        probabilities: (N, K), each row adding up to 1.

    Returns:
        accuracy, with its 95 % Wilson interval; balanced_accuracy, the mean recall of the classes
        that have examples; top_3_accuracy of more than 5 classes and top_5_accuracy of more than
        10; macro_f1, the mean of the classes' F1, and weighted_f1, the same by their examples;
        roc_auc, the mean of `roc.areas`, if any class has one; loss, the mean cross-entropy in
        nats; brier_score and expected_calibration_error as in `calibration`; examples, N.
    """
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    low, high = intervals.wilson(correct, len(labels))
    class_count = probabilities.shape[1]
    areas = roc.areas(labels, probabilities)
    return {
        "accuracy": correct / len(labels),
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": balanced_accuracy(labels, predicted),
        **{
            f"top_{k}_accuracy": top_k_accuracy(labels, probabilities, k)
            for k, fewer in TOP_K_ABOVE.items()
            if class_count > fewer
        },
        "macro_f1": _f1(labels, predicted, class_count, "macro"),
        "weighted_f1": _f1(labels, predicted, class_count, "weighted"),
        **({} if np.isnan(areas).all() else {"roc_auc": float(np.nanmean(areas))}),
        "loss": cross_entropy(labels, probabilities),
        "brier_score": calibration.brier_score(labels, probabilities),
        "expected_calibration_error": calibration.expected_error(labels, probabilities),
        "examples": len(labels),
    }


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Compute the mean recall of the classes that `labels` has, both (N,) integers."""
    present = np.unique(labels)  # scikit-learn's own warns of predictions of any other class
    return float(metrics.recall_score(labels, predicted, labels=present, average="macro"))


def top_k_accuracy(labels: np.ndarray, probabilities: np.ndarray, k: int) -> float:
    """Compute the share of examples whose class is among the k most probable.

    Of equal probabilities the first counts as greater, as for accuracy, which is that of k = 1.
    """
    most_probable = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float((most_probable == labels[:, np.newaxis]).any(axis=1).mean())


def _f1(labels: np.ndarray, predicted: np.ndarray, class_count: int, average: str) -> float:
    return float(
        metrics.f1_score(
            labels, predicted, labels=np.arange(class_count), average=average, zero_division=0
        )
    )


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Compute the mean of -ln p(true class), in nats; p is held at 1e-7 or more, as Keras does."""
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(np.log(1 / np.maximum(of_truth, 1e-7)).mean())


def per_class(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Return a row for each class.

    Returns:
        Columns class, precision (0 where it is never predicted), recall, f1, support (its test
        examples), roc_auc (missing where `roc.areas` is).
    """
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=np.arange(len(classes)), zero_division=0
    )
    return pd.DataFrame(
        {
            "class": classes,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "support": support,
            "roc_auc": roc.areas(labels, probabilities),
        }
    )


def report(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> str:
    """Return scikit-learn's classification report: what `per_class` has, and means, to be read."""
    return str(
        metrics.classification_report(
            labels,
            probabilities.argmax(axis=1),
            labels=np.arange(len(classes)),
            target_names=classes,
            digits=4,
            zero_division=0,
        )
    )


def confusion(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Return a row for each pair of a true and a predicted class.

    Returns:
        Columns true, predicted (names), count, share (of the true class's examples, 0..1).
    """
    counts = metrics.confusion_matrix(
        labels, probabilities.argmax(axis=1), labels=np.arange(len(classes))
    )
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "true": np.repeat(classes, len(classes)),
            "predicted": np.tile(classes, len(classes)),
            "count": counts.ravel(),
            "share": shares.ravel().round(6),
        }
    )


def per_example(
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    identities: np.ndarray,
) -> pd.DataFrame:
    """Return a row for each example, in the order of the split.

    Args:
        labels: (N,) integers in 0..K-1.
        probabilities: (N, K) float32.
        classes: K names.
        identities: (N,) uint64, which tell the images apart and are the same for every variant.

    Returns:
        Columns example (from 0), image (its identity, 16 characters of 0-9 and a-f), true,
        predicted (names), probability (of the predicted class), true_probability (of the true
        class), and for each class in its order p:<class>, its probability.
    """
    names = np.asarray(classes, dtype=object)
    rows = np.arange(len(labels))
    whole = pd.DataFrame(
        {
            "example": rows,
            "image": [f"{identity:016x}" for identity in identities.tolist()],
            "true": names[labels],
            "predicted": names[probabilities.argmax(axis=1)],
            "probability": probabilities.max(axis=1),
            "true_probability": probabilities[rows, labels],
        }
    )
    of_each = pd.DataFrame(probabilities, columns=[f"p:{name}" for name in classes])
    return pd.concat([whole, of_each], axis=1)
