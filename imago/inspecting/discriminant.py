"""A linear classifier of many photos that is asked about photos new to it, in one pass over them.

Where photos, features and classes are many, logistic regression takes hours and gigabytes. For
discriminant analysis the sums of features and of their products say all: those of each fold are
added up once, and a classifier for the photos of a fold is what the sums of the others give.

Source: T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning (2009),
section 4.3, with a covariance that is shrunk towards a multiple of the identity, section 4.3.1.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 0.1
ROWS_AT_ONCE = 4096

Numbers = NDArray[np.float64]


def out_of_fold(
    features: NDArray[np.float32], labels: NDArray[np.int32], folds: NDArray[np.integer]
) -> Iterator[tuple[NDArray[np.intp], Numbers]]:
    """Yield photos and the probabilities of their classes, some at a time.

    Args:
        features: (N, F).
        labels: (N,), in 0..K-1.
        folds: (N,), the fold of each; a classifier of the others is asked about a fold.

    Yields:
        Positions, (n,), and probabilities, (n, K).
    """
    rows_of = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    sums = [_sums(features, labels, rows, int(labels.max()) + 1) for rows in rows_of]
    whole = [sum(parts) for parts in zip(*sums, strict=True)]
    for rows, own in zip(rows_of, sums, strict=True):
        others = (every - part for every, part in zip(whole, own, strict=True))
        weights, biases = _fitted(*others)
        for some in _blocks(rows):
            yield some, _softmax(features[some] @ weights + biases)


def _sums(
    features: NDArray[np.float32], labels: NDArray[np.int32], rows: NDArray[np.intp], classes: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Return each class's photos, (K,), their features' sums, (K, F), and products', (F, F)."""
    from scipy.sparse import coo_array  # here, for it takes a while to import

    size = features.shape[1]
    counts = np.bincount(labels[rows], minlength=classes).astype(np.float64)
    of_classes, products = np.zeros((classes, size)), np.zeros((size, size))
    for some in _blocks(rows):
        block = features[some]
        is_of = coo_array(
            (np.ones(len(some)), (labels[some], np.arange(len(some)))), shape=(classes, len(some))
        )
        of_classes += is_of @ block
        products += block.T @ block
    return counts, of_classes, products


def _fitted(counts: Numbers, of_classes: Numbers, products: Numbers) -> tuple[Numbers, Numbers]:
    """Return weights, (F, K), and biases, (K,), that give the logarithms of probabilities."""
    total, size = counts.sum(), len(products)
    means = of_classes / np.maximum(counts, 1)[:, np.newaxis]
    within = (products - of_classes.T @ means) / total
    scale = max(np.trace(within) / size, np.finfo(np.float32).tiny)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * scale * np.eye(size)
    weights = np.linalg.solve(within, means.T)
    with np.errstate(divide="ignore"):  # a class that is not there has the probability 0
        priors = np.log(counts / total)
    return weights, priors - (means * weights.T).sum(axis=1) / 2


def _softmax(logits: Numbers) -> Numbers:
    whole = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(whole / whole.sum(axis=1, keepdims=True))


def _blocks(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]
