import numpy as np
import pytest

from imago.core.errors import SweepError
from imago.sweep import folds

CLASSES = ("cat", "dog", "owl")
LABELS = np.repeat(np.arange(3, dtype=np.int32), [60, 30, 10])
PAIRS = np.arange(100) // 2
"""Each image beside one that it belongs to."""


def test_each_example_is_held_out_once_and_no_group_is_in_two_folds():
    drawn = list(folds.draw(LABELS, CLASSES, PAIRS, 5, seed=3))

    assert sorted(np.concatenate([held_out for _, held_out in drawn])) == list(range(100))
    for learn, held_out in drawn:
        assert sorted([*learn, *held_out]) == list(range(100))
        assert not set(PAIRS[learn]) & set(PAIRS[held_out])


def test_folds_have_the_shares_of_the_classes():
    for _, held_out in folds.draw(LABELS, CLASSES, PAIRS, 5, seed=3):
        counts = np.bincount(LABELS[held_out], minlength=3)
        assert np.abs(counts - [12, 6, 2]).max() <= 2


def test_folds_follow_from_the_seed():
    first, again, other = (
        [held_out.tolist() for _, held_out in folds.draw(LABELS, CLASSES, PAIRS, 5, seed)]
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_a_class_of_few_groups():
    message = r"class 'owl' must have at least 6 images that are not alike, .*, got 5; use fewer"
    with pytest.raises(SweepError, match=message):
        list(folds.draw(LABELS, CLASSES, PAIRS, 6, seed=3))


def test_a_class_of_one_group_cannot_have_fewer_folds():
    with pytest.raises(SweepError, match=r"'owl' must have at least 2 images .* got 1; add images"):
        list(folds.draw(LABELS, CLASSES, np.where(LABELS == 2, 200, PAIRS), 2, seed=3))


def test_images_that_are_alike_or_of_one_group_belong_together():
    generator = np.random.default_rng(5)
    images = generator.integers(0, 255, (60, 32, 32, 3), dtype=np.uint8)
    images[7] = images[3]  # equal
    images[9] = np.clip(images[4].astype(int) + 1, 0, 255)  # and alike
    labels = np.arange(60, dtype=np.int32) % 3
    rows = [{"group": "film" if row in (11, 20) else ""} for row in range(60)]

    found = folds.of_groups(images, labels, CLASSES, rows)

    together = [set(np.flatnonzero(found == number).tolist()) for number in range(found.max() + 1)]
    assert [some for some in together if len(some) > 1] == [{3, 7}, {4, 9}, {11, 20}]
    assert folds.of_groups(images, labels, CLASSES, []).max() == 57
