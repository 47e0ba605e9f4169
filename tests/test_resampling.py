import numpy as np
import pytest

from imago.scoring import resampling

LABELS = np.array([0, 0, 0, 1], np.int32)
FIRST, SECOND = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0])


def recall_of_the_first(right, _, true):
    return right[..., 0] / true[..., 0]


def of_counts(*predicted, samples=500):
    generator = np.random.default_rng(3)
    return resampling.of_counts(recall_of_the_first, LABELS, predicted, 2, samples, generator)


@pytest.mark.filterwarnings("ignore:invalid value")  # samples of the second class alone
def test_values_are_those_of_each_model():
    assert of_counts(FIRST)[0] == [2 / 3]
    assert of_counts(FIRST, SECOND)[0] == [2 / 3, 1.0]


@pytest.mark.filterwarnings("ignore:invalid value")
def test_models_are_resampled_on_the_same_examples():
    """The second has all of the first class right, however often its examples are drawn."""
    _, (first, second) = of_counts(FIRST, SECOND)
    drawn = ~np.isnan(second)
    assert (second[drawn] == 1).all()
    np.testing.assert_array_equal(np.isnan(first), np.isnan(second))
    assert set(np.round(12 * first[drawn])) == {0, 3, 4, 6, 8, 9, 12}  # of one to four examples


def test_no_more_are_drawn_at_a_time_than_memory_holds(monkeypatch):
    monkeypatch.setattr(resampling, "_DRAWN_AT_ONCE", 100)
    assert resampling.sizes(25, 10) == [10, 10, 5]
    assert resampling.sizes(3, 1000) == [1, 1, 1]
