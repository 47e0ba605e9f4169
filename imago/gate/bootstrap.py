"""The change of a metric between two models, by the paired bootstrap over test examples.

See `imago.scoring.resampling`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imago.scoring import resampling
from imago.scoring.intervals import LEVEL, Interval
from imago.scoring.metric import Counts

_ROUNDING = 1e-12
"""Values that differ by no more are equal: a sample that ties counts as one that reaches as far."""


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

    Args:
        metric: See `imago.scoring.metric.ByCounts`.
        labels: (N,) true classes.
        first: (N,) predicted by the first model.
        second: (N,) predicted by the second.
        class_count: K.
        samples: B.
        generator: The samples are a function of its state.
    """
    (value, other), (before, after) = resampling.of_counts(
        metric, labels, [first, second], class_count, samples, generator
    )
    return Changes(value, other, after - before)


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
        for size in resampling.sizes(samples, count)
    ]
    return Changes(float(first.mean()), float(second.mean()), np.concatenate(means))
