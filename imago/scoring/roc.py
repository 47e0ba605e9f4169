"""Receiver operating characteristic: each class against all others, over every threshold."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

COLUMNS = ["class", "false_positive_rate", "true_positive_rate"]
MOST_POINTS, FEWEST_POINTS = 200, 20
"""Of one class's curve: no eye misses the others."""
MOST_ROWS = 2000
"""Of all curves together, under 100 kB, unless they are so many that each has the fewest points."""


def areas(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Compute the area under each class's curve.

    Args:
        labels: (N,) integers in 0..K-1.
        probabilities: (N, K).

    Returns:
        (K,) float64, 0..1: how likely an example of the class has a greater probability of it than
        one of another class. NaN for a class that none or all of the examples are of.
    """
    found = np.full(probabilities.shape[1], np.nan)
    for index in _with_a_curve(labels, len(found)):
        found[index] = metrics.roc_auc_score(labels == index, probabilities[:, index])
    return found


def curves(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Return some points of each class's curve, from (0, 0) to (1, 1).

    Returns:
        Columns class, false_positive_rate (the share of the other classes' examples whose
        probability of the class is at a threshold or above it), true_positive_rate (the same of
        its own). A class that none or all of the examples are of has no rows.
    """
    most = max(min(MOST_POINTS, MOST_ROWS // len(classes)), FEWEST_POINTS)
    rows: list[tuple[str, float, float]] = []
    for index in _with_a_curve(labels, len(classes)):
        false, true, _ = metrics.roc_curve(labels == index, probabilities[:, index])
        # By the logarithm, since a good classifier's curve turns where few are false.
        kept = _spread(true + np.log1p(1000 * false) / np.log(1001), most)
        name = [classes[index]] * len(kept)
        rows += zip(name, false[kept].tolist(), true[kept].tolist(), strict=True)
    return pd.DataFrame(rows, columns=COLUMNS).round(6)


def _with_a_curve(labels: np.ndarray, class_count: int) -> list[int]:
    counts = np.bincount(labels, minlength=class_count)
    return np.flatnonzero((counts > 0) & (counts < len(labels))).tolist()


def _spread(position: np.ndarray, most: int) -> np.ndarray:
    """Choose points that lie evenly along a curve, its first and last among them.

    Args:
        position: (P,), rising: how far along the curve each point is.
        most: Points to choose, at most.
    """
    if len(position) <= most:
        return np.arange(len(position))
    return np.unique(np.searchsorted(position, np.linspace(0, position[-1], most)))
