"""How bench.scale says what grows, by hand."""

import pytest

from bench import scale


@pytest.mark.parametrize(
    ("seconds", "memory", "said"),
    [
        ([1, 4, 16], [100, 100, 100], ["1.00", "0.333", "1.00", "1.00"]),
        ([1, 16, 256], [100, 200, 400], ["2.00", "5.952", "4.00", "2.00"]),
        ([7, 10, 22], [300, 200, 100], ["0.41", "0.333", "1.00", "0.50"]),
    ],
    ids=["linear", "square", "linear beyond a constant"],
)
def test_what_grows(seconds, memory, said):
    assert scale.grown([3000, 12_000, 48_000], seconds, memory) == said


def test_of_one_number_of_photos_nothing_grows():
    assert scale.grown([3000], [1], [100]) == [""] * 4
