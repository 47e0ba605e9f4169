"""How far a number that was measured on a few examples may be from the true one.

All are intervals of 95 %. scipy is imported where it is needed, for it takes half a second.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
LEVEL = 0.95
SAMPLES, SEED = 2_000, 0
"""Of the bootstrap: so many that another seed moves an end by some twentieth of the width."""
SAMPLES_AT_ONCE = 100
"""In memory: a row of the classes' counts each."""


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
    from scipy.sparse import coo_array

    # Examples of one true and one predicted class are alike, so the numbers of each kind are drawn.
    codes, counts = np.unique(labels * class_count + predicted, return_counts=True)
    true, said = np.unravel_index(codes, (class_count, class_count))
    kinds = np.arange(len(codes))

    def of_class(values: NDArray[np.bool_], classes: NDArray[np.integer]) -> coo_array:
        return coo_array((values, (kinds, classes)), (len(kinds), class_count)).tocsr()

    every = np.ones(len(kinds), np.bool_)
    random, samples = np.random.default_rng(SEED), []
    for _ in range(SAMPLES // SAMPLES_AT_ONCE):
        drawn = random.multinomial(len(labels), counts / len(labels), SAMPLES_AT_ONCE)
        right, predictions = drawn @ of_class(true == said, true), drawn @ of_class(every, said)
        numbers = (right, predictions, drawn @ of_class(every, true))
        samples.append(metric(*(number.astype(np.float64) for number in numbers)))
    low, high = np.quantile(np.concatenate(samples), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
