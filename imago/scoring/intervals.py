"""How far a share that was measured on a few examples may be from the true one."""


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share, from 0 to 1, by Wilson's score.

    Args:
        successes: 0 to `trials`.
        trials: 1 or more.
    """
    from scipy import stats  # here: it takes half a second to import

    low, high = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    return float(low), float(high)
