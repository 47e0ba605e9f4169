import numpy as np
import pytest

from imago.drawing import choices
from imago.figures import mistakes, uncertain
from tests import made_up


def predictions(labels, predicted, confidence, classes=3):
    """Predictions in which each predicted class has the given probability, the others the rest."""
    count = len(labels)
    rest = (1 - np.array(confidence)) / (classes - 1)
    probabilities = np.repeat(rest[:, np.newaxis], classes, axis=1)
    probabilities[np.arange(count), predicted] = confidence
    names = tuple("abcdefghijklmnop"[:classes])
    return made_up.predictions(labels, probabilities.astype(np.float32), names)


@pytest.mark.parametrize(
    ("count", "most", "taken"),
    [
        (0, 3, []),
        (1, 3, [0]),
        (3, 3, [0, 1, 2]),
        (10, 4, [0, 3, 6, 9]),
        (9, 1, [0]),
    ],
)
def test_evenly(count, most, taken):
    assert choices.evenly(count, most).tolist() == taken


@pytest.mark.parametrize(
    ("most", "taken"),
    [
        (9, [0, 1, 3, 2, 5, 4]),  # all, by class
        (4, [0, 1, 2, 4]),  # the first of each class, then a second of the first class
        (3, [0, 2, 4]),
        (2, [0, 4]),  # of more classes than places: the outermost
        (0, []),
    ],
)
def test_spread_takes_turns_among_the_classes(most, taken):
    labels = np.array([0, 0, 1, 0, 2, 1])
    assert choices.spread(labels, np.arange(6), most).tolist() == taken


def test_spread_takes_only_from_the_rows_given():
    labels = np.array([0, 1, 0, 1, 0, 1])
    assert choices.spread(labels, np.array([1, 2, 5]), 2).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("wrong", "counts"),
    [(0, (6, 0)), (2, (4, 2)), (5, (3, 3)), (8, (2, 4)), (10, (0, 6))],
    ids=lambda value: str(value),
)
def test_half_of_the_examples_are_wrong_as_far_as_there_are_so_many(wrong, counts):
    labels = np.zeros(10, int)
    predicted = (np.arange(10) < wrong).astype(int)

    rights, wrongs = choices.right_and_wrong(predictions(labels, predicted, [0.9] * 10), 6)

    assert (len(rights), len(wrongs)) == counts
    assert set(wrongs.tolist()) <= set(range(wrong))
    assert set(rights.tolist()) <= set(range(wrong, 10))


def test_mistakes_from_the_surest_on():
    found = predictions([0, 0, 1, 2, 1], [0, 1, 2, 0, 0], [0.99, 0.5, 0.8, 0.5, 0.7])
    assert mistakes.surest(found, 3).tolist() == [2, 4, 1]


def test_least_certain_from_the_least_on_right_or_wrong():
    found = predictions([0, 0, 1, 2], [0, 1, 2, 0], [0.99, 0.5, 0.8, 0.4])
    assert uncertain.least_certain(found, 3).tolist() == [3, 1, 2]
