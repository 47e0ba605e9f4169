"""Tables of how good a classifier is class by class, from its probabilities on a split."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

from imago.scoring import roc


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
