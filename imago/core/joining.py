"""Things that belong together, as pairs of them say, and folds that do not part them."""

import warnings

import numpy as np
from numpy.typing import NDArray

GREATEST_SHARE = 0.25
"""Of the pictures of a class that are taken for look-alikes of each other: of more, the look is
that of the class, as of X-rays or scanned forms, and says nothing of a picture."""

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Positions of the things in all other folds, and of those in this one; both ascend."""


def joined(
    groups: NDArray[np.intp], one: NDArray[np.integer], other: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Return the groups of N things after pairs of them have joined some: (N,), from 0 on.

    Groups are numbered in the order of their first things, if they were before.

    Args:
        groups: (N,), the number of each thing's group so far; of N alone `np.arange(N)`.
        one: (n,), the positions of one thing of each pair.
        other: (n,), those of the other.
    """
    from scipy.sparse import coo_array  # here, for it takes a while to import
    from scipy.sparse.csgraph import connected_components

    count = int(groups.max(initial=-1)) + 1
    ends = groups[one], groups[other]
    graph = coo_array((np.ones(len(one), np.bool_), ends), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][groups], np.intp)


def is_of_class(
    alike: NDArray[np.integer] | int, pictures: NDArray[np.integer] | int
) -> NDArray[np.bool_]:
    """Tell whether so many pictures that look alike have but the look of their class.

    Args:
        alike: Of pictures that look alike, each to some other one.
        pictures: Of the whole class.
    """
    return np.asarray(alike > np.maximum(2, GREATEST_SHARE * pictures))


def folds(labels: NDArray[np.int32], groups: NDArray[np.intp], count: int, seed: int) -> list[Fold]:
    """Divide N things, about the same share of each class in every fold, and no group in two.

    Args:
        labels: (N,), each thing's class.
        groups: (N,), the number of each thing's group.
        count: Of the folds; fewer where no class has so many groups, none where none has two.
        seed: Of the draw.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # here: it takes a second to import

    most = max(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    if most < 2:
        return []
    divide = StratifiedGroupKFold(min(count, most), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # which is as it is
        return list(divide.split(labels, labels, groups))
