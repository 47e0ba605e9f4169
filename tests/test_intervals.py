import math

import numpy as np
import pytest

from imago.scoring import intervals


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_interval_is_as_published(successes, trials, low, high):
    """Source: Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert intervals.wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_interval_by_hand():
    # (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n) with n = 10, p = 0.5
    z = 1.959963984540054
    half = z * math.sqrt(0.025 + z**2 / 400) / (1 + z**2 / 10)

    assert intervals.wilson(5, 10) == pytest.approx((0.5 - half, 0.5 + half))


def test_interval_of_one_example():
    z = 1.959963984540054
    assert intervals.wilson(1, 1) == pytest.approx((1 / (1 + z**2), 1))
    assert intervals.wilson(0, 1) == pytest.approx((0, z**2 / (1 + z**2)))


def test_ends_are_plain_numbers():
    assert [type(end) for end in intervals.wilson(1, 2)] == [float, float]


def test_mean_of_one_share_is_that_of_wilson():
    found = intervals.mean_of_shares(np.array([81]), np.array([263]))

    assert found == pytest.approx(intervals.wilson(81, 263))


def test_mean_of_shares_by_hand():
    right, trials = np.array([9, 40]), np.array([10, 50])
    ends = [intervals.wilson(9, 10), intervals.wilson(40, 50)]

    low, high = intervals.mean_of_shares(right, trials)

    assert low == pytest.approx(0.85 - math.hypot(0.9 - ends[0][0], 0.8 - ends[1][0]) / 2)
    assert high == pytest.approx(0.85 + math.hypot(ends[0][1] - 0.9, ends[1][1] - 0.8) / 2)


def test_mean_of_shares_is_no_point_where_all_are_right():
    low, high = intervals.mean_of_shares(np.array([20, 5]), np.array([20, 5]))

    assert high == 1
    assert 0.7 < low < 0.9


@pytest.mark.parametrize(
    ("trials", "shares"),
    [
        ((10, 40, 200), (0.7, 0.9, 0.95)),
        ((8, 100), (0.95, 0.95)),
        ((12, 15, 20, 30, 60, 300), (0.6, 0.99, 0.8, 0.9, 0.5, 0.97)),
    ],
    ids=["three classes", "two, good", "six"],
)
def test_mean_of_shares_covers_the_truth(trials, shares):
    """Of 2,000 test sets, in some 95 % the interval holds the mean recall that there is."""
    random = np.random.default_rng(4)
    drawn = [random.binomial(of, share, 2_000) for of, share in zip(trials, shares, strict=True)]
    known = {(n, of): intervals.wilson(n, of) for of in trials for n in range(of + 1)}
    ends = np.array(
        [[known[n, of] for n in column.tolist()] for column, of in zip(drawn, trials, strict=True)]
    )
    recalls = np.array(drawn) / np.array(trials)[:, np.newaxis]
    reach = np.sqrt(((ends - recalls[..., np.newaxis]) ** 2).sum(axis=0)) / len(trials)
    off = np.mean(shares) - recalls.mean(axis=0)

    covered = (off >= -reach[:, 0]) & (off <= reach[:, 1])

    assert 0.92 < covered.mean() < 0.97


def test_mean_of_values_by_hand():
    # mean 2, standard deviation 1, of three values
    low, high = intervals.mean(np.array([1.0, 2.0, 3.0]))

    assert (low, high) == pytest.approx((2 - 1.959964 / math.sqrt(3), 2 + 1.959964 / math.sqrt(3)))
    assert intervals.mean(np.array([0.0, 9.0]))[0] == 0
    assert intervals.mean(np.array([1.0])) is None
