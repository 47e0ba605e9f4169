"""The change of a metric between two models, by the paired bootstrap over test examples.

An example is drawn together with what both models said of it, so what is hard for both is hard in
every sample.
Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 16.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.scoring.intervals import LEVEL, Interval
from imago.scoring.metric import Counts

_ROUNDING = 1e-12
"""Values that differ by no more are equal: a sample that ties counts as one that reaches as far."""
_DRAWN_AT_ONCE = 2_000_000
"""Examples in a block of samples: bounds the memory."""


@dataclass(frozen=True)
class Changes:
    """A change of a metric, and those of bootstrap samples.

    Attributes:
        first: The first model's value.
        second: The second model's.
        samples: (B,) differences, second less first.
    """

    first: float
    second: float
    samples: NDArray[np.float64]

    @property
    def change(self) -> float:
        """Second less first."""
        return self.second - self.first

    def loss(self, margin: float = 0.0) -> float:
        """Compute the one-sided p-value of a fall by more than `margin`.

        Samples scatter about the change that was found as that one scatters about the true one,
        so the p-value is the share of samples whose distance reaches from the margin to it.
        """
        return self._share(self.samples - self.change <= self.change + margin + _ROUNDING)

    def gain(self) -> float:
        """Compute the one-sided p-value of a rise."""
        return self._share(self.samples - self.change >= self.change - _ROUNDING)

    def interval(self) -> Interval:
        """Compute the percentile interval of the change."""
        low, high = np.quantile(self.samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)

    def negative(self) -> "Changes":
        """Turn a metric of which less is better into one of which more is."""
        return Changes(-self.first, -self.second, -self.samples)

    def _share(self, samples: NDArray[np.bool_]) -> float:
        return (1 + int(samples.sum())) / (1 + len(samples))  # never 0: the data are a sample too


def of_counts(
    metric: Callable[[Counts, Counts, Counts], Counts],
    labels: NDArray[np.integer],
    first: NDArray[np.integer],
    second: NDArray[np.integer],
    class_count: int,
    samples: int,
    generator: np.random.Generator,
) -> Changes:
    """Resample a metric that is a function of each class's counts.

    Examples with the same label and the same two predictions are alike, so the numbers of each
    kind are drawn, of which there are few, and not the examples.

    Args:
        metric: See `imago.scoring.metric.ByCounts`.
        labels: (N,) true classes.
        first: (N,) predicted by the first model.
        second: (N,) predicted by the second.
        class_count: K.
        samples: B.
        generator: The samples are a function of its state.
    """
    codes = (labels * class_count + first) * class_count + second
    codes, counts = np.unique(codes, return_counts=True)
    # (label, first, second) of each kind
    true, *both = np.unravel_index(codes, (class_count,) * 3)
    every = np.ones(len(codes), np.bool_)
    of_true = _of_class(every, true, class_count)
    of_models = [
        (_of_class(said == true, said, class_count), _of_class(every, said, class_count))
        for said in both
    ]

    def values(drawn: NDArray[np.integer]) -> list[Counts]:
        def per_class(kinds: Any) -> Counts:
            return np.ascontiguousarray(drawn @ kinds, np.float64)

        of_all = per_class(of_true)
        return [metric(per_class(right), per_class(said), of_all) for right, said in of_models]

    shares, changes = counts / counts.sum(), []
    for size in _sizes(samples, len(codes)):
        before, after = values(generator.multinomial(counts.sum(), shares, size))
        changes.append(after - before)
    before, after = values(counts[np.newaxis])
    return Changes(float(before[0]), float(after[0]), np.concatenate(changes))


def _of_class(values: NDArray[np.bool_], classes: NDArray[np.integer], class_count: int) -> Any:
    """Return a matrix, (kinds, K), by which drawn numbers of each kind add up to each class's."""
    from scipy.sparse import coo_array  # here: it takes a while to import

    places = (np.arange(len(values)), classes)
    return coo_array((values, places), (len(values), class_count)).tocsr()


def _sizes(samples: int, numbers: int) -> list[int]:
    """Return how many samples are drawn at a time, each of so many numbers."""
    at_once = max(1, _DRAWN_AT_ONCE // numbers)
    sizes: list[int] = np.diff([*range(0, samples, at_once), samples]).tolist()
    return sizes


def of_means(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    samples: int,
    generator: np.random.Generator,
) -> Changes:
    """Resample a metric that is the mean of a value of each example.

    Args:
        first: (N,) the values of the first model.
        second: (N,) those of the second.
        samples: B.
        generator: The samples are a function of its state.
    """
    count = len(first)
    difference = second - first
    means = [
        difference[generator.integers(count, size=(size, count), dtype=np.int32)].mean(axis=1)
        for size in _sizes(samples, count)
    ]
    return Changes(float(first.mean()), float(second.mean()), np.concatenate(means))
