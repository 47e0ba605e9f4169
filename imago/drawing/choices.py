"""Which images a figure shows, where there are more than it has room for."""

import numpy as np
from numpy.typing import NDArray

from imago.scoring.predictions import Predictions

Rows = NDArray[np.intp]


def evenly(count: int, most: int) -> Rows:
    """Take `most` of 0..count-1 at even distances, or all."""
    rows = np.linspace(0, count - 1, min(most, count)).round()
    return np.asarray(rows, np.intp)


def spread(labels: NDArray[np.integer], rows: Rows, most: int) -> Rows:
    """Take up to `most` of `rows`, as many of each class as can be, in the order of the classes.

    Args:
        labels: (N,) of all examples.
        rows: Positions to choose from.
        most: How many.
    """
    by_class = rows[np.argsort(labels[rows], kind="stable")]
    classes, first, counts = np.unique(labels[by_class], return_index=True, return_counts=True)
    if len(classes) > most:
        return np.asarray(by_class[first[evenly(len(classes), most)]], np.intp)
    # An image of each class, then another of each, ...: its number within its class decides.
    turn = np.arange(len(by_class)) - np.repeat(first, counts)
    chosen = np.argsort(turn, kind="stable")[:most]
    return np.asarray(by_class[np.sort(chosen)], np.intp)


def right_and_wrong(predictions: Predictions, most: int) -> tuple[Rows, Rows]:
    """Take up to `most` examples, half of them right and half wrong as far as there are so many."""
    right, wrong = np.flatnonzero(predictions.right), np.flatnonzero(~predictions.right)
    wrong_shown = min(len(wrong), max(most // 2, most - len(right)))
    return (
        spread(predictions.labels, right, most - wrong_shown),
        spread(predictions.labels, wrong, wrong_shown),
    )
