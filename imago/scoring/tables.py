"""Tables of how good a classifier is class by class, from its probabilities on a split."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

from imago.scoring import roc

WHOLE_CLASSES = 50
"""Up to so many, all cells of a confusion matrix are told: 2,500 rows, some 100 kB."""
MISTAKES = 100
"""Kinds of them that are told of more classes, of which most cells are empty or of one example."""


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

    Of more than WHOLE_CLASSES classes: for each class with itself, and for the MISTAKES pairs that
    are most frequent, or are the greatest share of a class where they are equally frequent.

    Returns:
        Columns true, predicted (names), count, share (of the true class's examples, 0..1); in the
        order of the true classes, then of the predicted.
    """
    size, names = len(classes), np.asarray(classes, dtype=object)
    cells = labels.astype(np.int64) * size + probabilities.argmax(axis=1)
    counts = pd.Series(1, cells).groupby(level=0).sum()
    of_class = np.maximum(np.bincount(labels, minlength=size), 1)
    shown = np.arange(size**2) if size <= WHOLE_CLASSES else _largest(counts, of_class)
    true, predicted = np.divmod(shown, size)
    count = counts.reindex(shown, fill_value=0).to_numpy()
    return pd.DataFrame(
        {
            "true": names[true],
            "predicted": names[predicted],
            "count": count,
            "share": (count / of_class[true]).round(6),
        }
    )


def _largest(counts: "pd.Series[int]", of_class: np.ndarray) -> np.ndarray:
    """Return the cells of the diagonal and of the greatest mistakes, in their order.

    Args:
        counts: Of each cell that is not empty, by its place in the matrix, row after row.
        of_class: (K,) examples of each true class.
    """
    size, cells = len(of_class), counts.index.to_numpy()
    true, predicted = np.divmod(cells, size)
    # What comes last in a sort counts first.
    order = np.lexsort([cells, -counts / of_class[true], -counts])
    mistakes = cells[order[(true != predicted)[order]]][:MISTAKES]
    return np.sort(np.concatenate([np.arange(size) * (size + 1), mistakes]))
