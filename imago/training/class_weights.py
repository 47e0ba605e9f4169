"""Weights of classes that have unlike numbers of examples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def balanced(labels: NDArray[np.int32]) -> Sequence[float]:
    """Weight each class so that all count the same, and the mean over examples is 1.

    Args:
        labels: (N,) int32, each class of 0 to K - 1 at least once.

    Returns:
        K weights: N / (K * examples of the class).
    """
    from sklearn.utils.class_weight import compute_class_weight  # here: it takes a second to import

    weights: list[float] = compute_class_weight(
        "balanced", classes=np.unique(labels), y=labels
    ).tolist()
    return weights
