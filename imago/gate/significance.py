"""Tests of paired right-or-wrong answers, and their correction for being many.

Every p-value here is one-sided: how probable so great a loss is, or a greater one, where there is
none.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from imago.scoring.intervals import LEVEL, Interval


def loss(lost: int, gained: int, examples: int, margin: float) -> float:
    """Compute the p-value of a share of right answers that fell by more than `margin`.

    Args:
        lost: Examples that only the first model has right.
        gained: Examples that only the second model has right.
        examples: All that were compared.
        margin: In 0..1; at 0 the test is exact.
    """
    return score(lost, gained, examples, margin) if margin else mcnemar(lost, gained)


def mcnemar(lost: int, gained: int) -> float:
    """Compute the exact p-value of a loss, where each example that changed is lost by a fair coin.

    Source: McNemar (1947), doi:10.1007/BF02295996; exact by the binomial distribution.
    """
    return float(stats.binom.sf(lost - 1, lost + gained, 0.5))


def score(lost: int, gained: int, examples: int, margin: float) -> float:
    """Compute the p-value of a loss of more than `margin`, by the score test of paired shares.

    Source: Tango (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
    """
    linear = lost * (1 + margin) + gained * (1 - margin) - 2 * examples * margin
    constant = 8 * examples * gained * margin * (1 - margin)
    # The share of gained examples that is most likely if the loss is exactly the margin.
    share = (linear + np.sqrt(linear**2 + constant)) / (4 * examples)
    variance = examples * (2 * share + margin * (1 - margin))
    if variance <= 0:  # nothing changed
        return 1.0
    return float(stats.norm.sf((lost - gained - examples * margin) / np.sqrt(variance)))


def interval(lost: int, gained: int, examples: int) -> Interval:
    """Compute the confidence interval of the change of a share of right answers.

    Source: Agresti and Min (2005), doi:10.1002/sim.1781: Wald's interval with half an example
    added to each of the four kinds of pairs.
    """
    total = examples + 2
    change = (gained - lost) / total
    variance = (lost + gained + 1) / total - change**2
    half = float(stats.norm.isf((1 - LEVEL) / 2) * np.sqrt(variance / total))
    return max(change - half, -1.0), min(change + half, 1.0)


def holm(p_values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, so that those at most a level are significant at it.

    The probability of one or more false alarms among all tests is at most the level, however they
    depend on each other. Of equal p-values, that of the test with the greater weight counts more.

    Args:
        p_values: Of each test.
        weights: Above 0; only their ratios matter.

    Source: Holm (1979), section 4, jstor.org/stable/4615733.
    """
    adjusted = [1.0] * len(p_values)
    order = sorted(range(len(p_values)), key=lambda test: p_values[test] / weights[test])
    left, highest = float(sum(weights)), 0.0
    for test in order:
        highest = max(highest, min(1.0, left * p_values[test] / weights[test]))
        adjusted[test] = highest
        left -= weights[test]
    return adjusted
