"""Test examples drawn anew, with what one model or several said of them: the bootstrap.

An example is drawn together with what all models said of it, so what is hard for all of them is
hard in every sample.
Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 16.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DRAWN_AT_ONCE = 2_000_000
"""Numbers in a block of samples: bounds the memory."""


def of_counts(
    metric: Callable[..., NDArray[np.float64]],
    labels: NDArray[np.integer],
    predicted: Sequence[NDArray[np.integer]],
    class_count: int,
    samples: int,
    generator: np.random.Generator,
) -> tuple[list[float], list[NDArray[np.float64]]]:
    """Resample a metric that is a function of each class's counts.

    Examples with the same label and the same predictions are alike, so the numbers of each kind
    are drawn, of which there are few, and not the examples.

    Args:
        metric: See `imago.scoring.metric.ByCounts`.
        labels: (N,) true classes.
        predicted: (N,) of each model.
        class_count: K.
        samples: B.
        generator: The samples are a function of its state.

    Returns:
        Of each model the value, and those of the samples, (B,).
    """
    shape = (class_count,) * (1 + len(predicted))
    codes, counts = np.unique(np.ravel_multi_index([labels, *predicted], shape), return_counts=True)
    true, *answers = np.unravel_index(codes, shape)
    every = np.ones(len(codes), np.bool_)
    of_true = _of_class(every, true, class_count)
    of_models = [
        (_of_class(said == true, said, class_count), _of_class(every, said, class_count))
        for said in answers
    ]

    def values(drawn: NDArray[np.integer]) -> list[NDArray[np.float64]]:
        def per_class(kinds: Any) -> NDArray[np.float64]:
            return np.ascontiguousarray(drawn @ kinds, np.float64)

        of_all = per_class(of_true)
        return [metric(per_class(right), per_class(said), of_all) for right, said in of_models]

    shares = counts / counts.sum()
    found = [
        values(generator.multinomial(counts.sum(), shares, size))
        for size in sizes(samples, len(codes))
    ]
    whole = [float(value[0]) for value in values(counts[np.newaxis])]
    return whole, [np.concatenate(of_model) for of_model in zip(*found, strict=True)]


def _of_class(values: NDArray[np.bool_], classes: NDArray[np.integer], class_count: int) -> Any:
    """Return a matrix, (kinds, K), by which drawn numbers of each kind add up to each class's."""
    from scipy.sparse import coo_array  # here: it takes a while to import

    places = (np.arange(len(values)), classes)
    return coo_array((values, places), (len(values), class_count)).tocsr()


def sizes(samples: int, numbers: int) -> list[int]:
    """Return how many samples are drawn at a time, each of so many numbers."""
    at_once = max(1, _DRAWN_AT_ONCE // numbers)
    found: list[int] = np.diff([*range(0, samples, at_once), samples]).tolist()
    return found
