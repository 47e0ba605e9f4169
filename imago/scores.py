"""Figures that say how good a classifier is, from its probabilities on a split."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics


def summary(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | int]:
    """Give the flat figures of `metrics/<experiment>.json`.

    Args:
        labels: (N,) integers in 0..K-1.
        probabilities: (N, K), each row adding up to 1.

    Returns:
        accuracy, with its 95 % Wilson interval; loss, the mean cross-entropy in nats; macro_f1, the
        mean of the classes' F1; examples, N.
    """
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    low, high = stats.binomtest(correct, len(labels)).proportion_ci(0.95, method="wilson")
    classes = np.arange(probabilities.shape[1])
    return {
        "accuracy": correct / len(labels),
        "accuracy_low": float(low),
        "accuracy_high": float(high),
        "loss": cross_entropy(labels, probabilities),
        "macro_f1": float(
            metrics.f1_score(labels, predicted, labels=classes, average="macro", zero_division=0)
        ),
        "examples": len(labels),
    }


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Give the mean of -ln p(true class), in nats; p is held at 1e-7 or more, as Keras does."""
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(np.log(1 / np.maximum(of_truth, 1e-7)).mean())


def per_class(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Give a row for each class: class, precision, recall, f1, support (its test examples).

    A class that is never predicted has precision 0.
    """
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=np.arange(len(classes)), zero_division=0
    )
    return pd.DataFrame(
        {"class": classes, "precision": precision, "recall": recall, "f1": f1, "support": support}
    )


def confusion(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Give a row for each pair of a true and a predicted class.

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
    """Give a row for each example, in the order of the split.

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
