import math

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
