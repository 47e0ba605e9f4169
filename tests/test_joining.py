import numpy as np
import pytest

from imago.core import joining

LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1], np.int32)
GROUPS = np.array([0, 0, 1, 1, 2, 3, 4, 5, 5])


def test_folds_hold_each_thing_once_and_part_no_group():
    found = joining.folds(LABELS, GROUPS, 2, seed=1)
    assert sorted(row for _, own in found for row in own.tolist()) == list(range(9))
    for others, own in found:
        assert not set(GROUPS[others]) & set(GROUPS[own])
        assert sorted([*others, *own]) == list(range(9))


def test_there_are_no_more_folds_than_a_class_has_groups():
    assert len(joining.folds(LABELS, GROUPS, 9, seed=1)) == 4


def test_classes_of_one_group_each_have_no_folds():
    assert joining.folds(LABELS, LABELS.astype(np.intp), 5, seed=1) == []


@pytest.mark.parametrize(
    ("alike", "pictures", "is_of_class"),
    [(2, 4, False), (3, 4, True), (25, 100, False), (26, 100, True)],
)
def test_the_look_of_more_than_a_quarter_is_that_of_the_class(alike, pictures, is_of_class):
    """But two may always be alike."""
    assert joining.is_of_class(alike, pictures) == is_of_class
