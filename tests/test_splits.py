import numpy as np
import pytest

from imago import splits
from imago.errors import DataError

CLASSES = ("cat", "dog", "owl")


def labels(*counts):
    ordered = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return np.random.default_rng(3).permutation(ordered)


def test_counts_of_each_class_are_exact():
    targets = labels(50, 30, 20)

    train, validation = splits.stratified(targets, CLASSES, 0.2, seed=20)

    assert np.bincount(targets[train]).tolist() == [40, 24, 16]
    assert np.bincount(targets[validation]).tolist() == [10, 6, 4]


def test_fractions_of_an_example_stay_within_one():
    targets = labels(13, 11, 10)

    _, validation = splits.stratified(targets, CLASSES, 0.3, seed=20)

    assert len(validation) == 10  # 10.2
    counts = np.bincount(targets[validation])
    assert np.abs(counts - [3.9, 3.3, 3.0]).max() < 1


def test_rounding_of_the_fraction_adds_no_example():
    assert 0.07 * 100 > 7  # in binary

    _, validation = splits.stratified(labels(50, 50), CLASSES[:2], 0.07, seed=20)

    assert len(validation) == 7


def test_every_example_is_in_one_part_and_in_order():
    train, validation = splits.stratified(labels(50, 30, 20), CLASSES, 0.2, seed=20)

    assert sorted([*train, *validation]) == list(range(100))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_draw_is_that_of_the_seed():
    def draw(seed):
        return splits.stratified(labels(50, 30, 20), CLASSES, 0.2, seed)[1].tolist()

    assert draw(20) == draw(20)
    assert draw(20) != draw(21)


def test_draw_leaves_the_global_generator_alone():
    before = str(np.random.get_state())  # noqa: NPY002 - the one to be left alone

    splits.stratified(labels(50, 30, 20), CLASSES, 0.2, seed=20)

    assert str(np.random.get_state()) == before  # noqa: NPY002


def test_no_validation():
    train, validation = splits.stratified(labels(1, 2, 3), CLASSES, 0.0, seed=20)

    assert train.tolist() == [0, 1, 2, 3, 4, 5]
    assert validation.tolist() == []


@pytest.mark.parametrize(
    ("counts", "fraction", "message"),
    [
        pytest.param(
            (50, 46, 4),
            0.2,
            "class 'owl' must have at least 5 training images to be split by "
            "validation_fraction 0.2, got 4; add images or change the fraction",
            id="too few for validation",
        ),
        pytest.param((50, 46, 4), 0.8, "'owl' must have at least 5 .* got 4", id="for training"),
        pytest.param((98, 1, 1), 0.5, "'dog' .* got 1; class 'owl' .* got 1", id="two classes"),
        pytest.param((9, 9, 0), 0.5, "'owl' must have at least 2 .* got 0", id="absent class"),
        pytest.param((1, 1, 1), 0.1, "'cat' must have at least 3 .* got 1", id="tiny fraction"),
        pytest.param((1, 0, 0), 0.1, "'dog' must have at least 1 .* got 0", id="one image"),
    ],
)
def test_class_with_too_few_examples(counts, fraction, message):
    with pytest.raises(DataError, match=message):
        splits.stratified(labels(*counts), CLASSES, fraction, seed=20)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.2, 0.8])
def test_fewest_examples_are_enough(fraction, seed):
    targets = labels(50, 45, 5)

    for part in splits.stratified(targets, CLASSES, fraction, seed):
        assert np.bincount(targets[part])[2] == (1 if len(part) == 20 else 4)
