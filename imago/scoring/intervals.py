"""How far a number that was measured on a few examples may be from the true one.

All are intervals of 95 %. scipy is imported where it is needed, for it takes half a second.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from imago.scoring import resampling

Interval = tuple[float, float]
LEVEL = 0.95
SAMPLES, SEED = 2_000, 0
"""Of the bootstrap: so many that another seed moves an end by some twentieth of the width."""


def wilson(successes: int, trials: int) -> Interval:
    """Compute the interval of a share, from 0 to 1, by Wilson's score.

    Args:
        successes: 0 to `trials`.
        trials: 1 or more.
    """
    from scipy import stats

    low, high = stats.binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    return float(low), float(high)


def mean_of_shares(successes: NDArray[np.integer], trials: NDArray[np.integer]) -> Interval:
    """Compute the interval of the mean of shares that were measured apart, such as recalls.

    How far the mean may be off is the root of the squared distances, summed, by which Wilson's
    interval of each share is; so it holds for classes of a few examples, and where all are right.

    Source: Zou, Huang and Zhang, A note on confidence interval estimation for a linear function of
    binomial proportions, Computational Statistics & Data Analysis 53 (2009) 1080-1085.

    Args:
        successes: (K,) 0 to `trials`.
        trials: (K,) 1 or more.
    """
    pairs = zip(successes.tolist(), trials.tolist(), strict=True)
    low, high = np.array([wilson(right, of) for right, of in pairs]).T
    shares = successes / trials
    mean, count = float(shares.mean()), len(shares)
    below, above = math.hypot(*(shares - low)) / count, math.hypot(*(high - shares)) / count
    return max(0.0, mean - below), min(1.0, mean + above)


def mean(values: NDArray[np.float64]) -> Interval | None:
    """Compute the interval of the mean of values of 0 or more; None of fewer than two.

    By their standard error, so it holds for many values.
    """
    from scipy import stats

    if len(values) < 2:
        return None
    reach = stats.norm.ppf((1 + LEVEL) / 2) * values.std(ddof=1) / math.sqrt(len(values))
    return max(0.0, float(values.mean() - reach)), float(values.mean() + reach)


def of_counts(
    metric: Callable[..., NDArray[np.float64]],
    labels: NDArray[np.integer],
    predicted: NDArray[np.integer],
    class_count: int,
) -> Interval:
    """Compute the percentile interval of a metric that depends on counts, by the bootstrap.

    Args:
        metric: See `imago.scoring.metric.ByCounts`.
        labels: (N,) true classes.
        predicted: (N,) predicted ones.
        class_count: K.
    """

    def by_columns(*counts: NDArray[np.float64]) -> NDArray[np.float64]:
        # In this order sums over classes are rounded as they always were: ends keep their digits.
        return metric(*map(np.asfortranarray, counts))

    answers, random = [predicted], np.random.default_rng(SEED)
    _, (samples,) = resampling.of_counts(by_columns, labels, answers, class_count, SAMPLES, random)
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
