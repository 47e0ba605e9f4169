import numpy as np
import pytest
from scipy import optimize, stats

from imago.gate import significance


@pytest.mark.parametrize(
    ("lost", "gained", "p_value"),
    [(0, 0, 1), (1, 0, 1 / 2), (5, 0, 1 / 32), (0, 5, 1), (3, 1, 5 / 16), (1, 3, 15 / 16)],
)
def test_exact_mcnemar(lost, gained, p_value):
    assert significance.mcnemar(lost, gained) == pytest.approx(p_value)


@pytest.mark.parametrize(("lost", "gained"), [(30, 10), (10, 10), (40, 0), (0, 3)])
@pytest.mark.parametrize("margin", [0.02, 0.1])
def test_score_test_against_the_likelihood(lost, gained, margin):
    """The share that is most likely under the margin, found by search instead of a formula."""
    examples = 200

    def unlikelihood(share):
        rest = 1 - 2 * share - margin
        log = lost * np.log(share + margin) + (examples - lost - gained) * np.log(rest)
        return -(log + (gained * np.log(share) if gained else 0))

    bounds = (1e-12, (1 - margin) / 2 - 1e-12)
    options = {"xatol": 1e-12}
    share = optimize.minimize_scalar(
        unlikelihood, bounds=bounds, method="bounded", options=options
    ).x
    variance = examples * (2 * share + margin - margin**2)
    z = (lost - gained - examples * margin) / np.sqrt(variance)

    found = significance.score(lost, gained, examples, margin)

    assert found == pytest.approx(stats.norm.sf(z), rel=1e-4)


def test_score_test_without_changes_is_no_loss():
    assert significance.score(0, 0, 100, 0.05) > 0.9


def test_score_test_without_a_margin_is_mcnemars_asymptotic_one():
    expected = stats.norm.sf((60 - 40) / np.sqrt(60 + 40))

    assert significance.score(60, 40, 1000, 1e-12) == pytest.approx(expected)


def test_loss_is_exact_without_a_margin():
    assert significance.loss(5, 0, 100, 0.0) == significance.mcnemar(5, 0)
    assert significance.loss(5, 0, 100, 0.02) == significance.score(5, 0, 100, 0.02)


def test_interval():
    low, high = significance.interval(20, 10, 998)

    half = 1.959964 * np.sqrt((31 / 1000 - 0.01**2) / 1000)
    assert (low, high) == pytest.approx((-0.01 - half, -0.01 + half))


def test_interval_stays_within_what_is_possible():
    assert significance.interval(0, 3, 3) == pytest.approx((0.0238, 1.0), abs=0.2)
    assert significance.interval(0, 3, 3)[1] <= 1


@pytest.mark.parametrize(
    ("p_values", "weights", "adjusted"),
    [
        ([0.01, 0.02, 0.03], [1, 1, 1], [0.03, 0.04, 0.04]),
        ([0.03, 0.01, 0.02], [1, 1, 1], [0.04, 0.03, 0.04]),
        ([0.01, 0.03, 0.2], [0.5, 0.25, 0.25], [0.02, 0.06, 0.2]),
        ([0.6, 0.7], [1, 1], [1, 1]),
        ([0.04], [0.1], [0.04]),
        ([], [], []),
    ],
)
def test_holm(p_values, weights, adjusted):
    assert significance.holm(p_values, weights) == pytest.approx(adjusted)


def test_holm_keeps_the_level_where_nothing_is_true():
    """Of 2,000 families of four independent tests 5 % have an alarm, give or take chance."""
    p_values = np.random.default_rng(3).uniform(size=(2000, 4))

    alarms = [min(significance.holm(family, [4, 2, 1, 1])) <= 0.05 for family in p_values]

    assert 0.04 < np.mean(alarms) < 0.06
