"""Receiver operating characteristic: each class against all others, over every threshold."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

Curve = tuple[np.ndarray, np.ndarray]
"""False positive rates and true positive rates, both (P,) and rising."""
COLUMNS = ["class", "false_positive_rate", "true_positive_rate"]
MOST_POINTS, FEWEST_POINTS = 200, 20
"""Of one class's curve: no eye misses the others."""
MOST_ROWS = 2000
"""Of all curves together, under 100 kB."""
MOST_CURVES = MOST_ROWS // FEWEST_POINTS
"""Of more classes, the mean curve is told and those of the least area."""


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
        # As `metrics.roc_auc_score`, but for its checks, which take longer than the curve.
        found[index] = metrics.auc(*_curve(labels, probabilities, index))
    return found


def curves(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Return some points of each class's curve, from (0, 0) to (1, 1).

    Of more than MOST_CURVES classes: of the mean of all curves, and of those of the least area.

    Returns:
        Columns class, false_positive_rate (the share of the other classes' examples whose
        probability of the class is at a threshold or above it), true_positive_rate (the same of
        its own). A class that none or all of the examples are of has no rows.
    """
    most = max(min(MOST_POINTS, MOST_ROWS // len(classes)), FEWEST_POINTS)
    every = _with_a_curve(labels, len(classes))
    found: dict[str, Curve] = {}
    if len(every) > MOST_CURVES:
        area, mean = _areas_and_mean(labels, probabilities, every)
        found[f"mean of {len(every):,} classes"] = _thinned(mean, most)
        every = sorted(sorted(every, key=area.__getitem__)[: MOST_CURVES - 1])
    for index in every:
        found[classes[index]] = _thinned(_curve(labels, probabilities, index), most)
    rows = [
        (name, *point)
        for name, curve in found.items()
        for point in zip(*(rates.tolist() for rates in curve), strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).round(6)


def _areas_and_mean(
    labels: np.ndarray, probabilities: np.ndarray, indices: Sequence[int]
) -> tuple[dict[int, float], Curve]:
    """Compute the area under each of some classes' curves, and the mean of their curves."""
    false = np.expm1(np.linspace(0, np.log(1001), MOST_POINTS)) / 1000  # dense where few are false
    area, sums = {}, np.zeros(len(false))
    for index in indices:
        curve = _curve(labels, probabilities, index)
        area[index] = metrics.auc(*curve)
        sums += np.interp(false, *curve)
    return area, (np.append(0, false), np.append(0, sums / len(indices)))


def _curve(labels: np.ndarray, probabilities: np.ndarray, index: int) -> Curve:
    false, true, _ = metrics.roc_curve(labels == index, probabilities[:, index])
    return false, true


def _thinned(curve: Curve, most: int) -> Curve:
    false, true = curve
    # By the logarithm, since a good classifier's curve turns where few are false.
    kept = _spread(true + np.log1p(1000 * false) / np.log(1001), most)
    return false[kept], true[kept]


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
