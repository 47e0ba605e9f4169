import numpy as np
import pytest

from imago.core import sections
from imago.exports import unsure
from imago.exports.unsure import Limits
from imago.runtimes.certainty import Answers


def answers(right, probability, distance=None):
    labels = np.zeros(len(right), np.int32)
    far = None if distance is None else np.array(distance, np.float32)
    predicted = 1 - np.array(right, np.int32)
    return Answers(labels, predicted, np.array(probability, np.float32), far)


TEN = answers(
    [1, 1, 1, 1, 0, 1, 1, 0, 0, 1], [0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4]
)


@pytest.mark.parametrize(
    ("precision", "least"),
    [
        (1.0, 0.8),
        (0.85, 0.65),  # 6 of 7
        (0.8, 0.65),  # 6 of 7, since with the next it is 6 of 8
        (0.7, None),  # 7 of 10
        (0.1, None),
    ],
)
def test_precision_is_kept_by_as_many_answers_as_can(precision, least):
    found = unsure.choose(TEN, sections.Unsure(precision=precision))
    assert found.probability == (None if least is None else pytest.approx(least))
    assert found.distance is None


def test_answers_of_one_probability_stand_or_fall_together():
    alike = answers([1, 1, 0, 1], [0.9, 0.8, 0.8, 0.7])
    assert unsure.choose(alike, sections.Unsure(precision=1.0)).probability == pytest.approx(0.9)


def test_a_precision_out_of_reach_is_come_as_near_as_can_be():
    worst_first = answers([0, 1, 1, 1], [0.9, 0.8, 0.7, 0.6])
    assert unsure.choose(worst_first, sections.Unsure(precision=0.99)).probability is None
    none_right = answers([0, 0], [0.9, 0.8])
    assert unsure.choose(none_right, sections.Unsure(precision=0.99)).probability is None


@pytest.mark.parametrize(
    ("coverage", "least"), [(1.0, 0.4), (0.5, 0.75), (0.45, 0.75), (0.01, 0.95)]
)
def test_coverage_is_a_share_of_the_images(coverage, least):
    found = unsure.choose(TEN, sections.Unsure(coverage=coverage))
    assert found.probability == pytest.approx(least)
    assert found.keep(TEN.probability, None).mean() >= coverage


DISTANCES = [0.1, 0.2, 0.3, 0.4, 9.0, 0.5, 0.6, 0.05, 0.05, 0.7]


@pytest.mark.parametrize(("unlike", "greatest"), [(0.0, 0.7), (0.1, 0.7), (0.15, 0.6), (0.5, 0.4)])
def test_a_share_of_the_right_answers_is_given_up_for_being_unlike(unlike, greatest):
    far = answers(TEN.right, TEN.probability, DISTANCES)
    found = unsure.choose(far, sections.Unsure(unlike=unlike))
    assert found == Limits(None, pytest.approx(greatest))


def test_precision_is_that_of_what_is_not_unlike():
    far = answers(TEN.right, TEN.probability, DISTANCES)
    found = unsure.choose(far, sections.Unsure(precision=0.8, unlike=0.0))
    assert found.probability == pytest.approx(0.6)  # the wrong one at 0.75 is far: 6 of 7
    both = unsure.choose(far, sections.Unsure(coverage=0.5, unlike=0.0))
    kept = both.keep(far.probability, far.distance)
    assert kept.sum() == 5
    assert not kept[4]


def test_what_limits_cost_is_counted():
    test = answers([1, 1, 0, 0], [0.9, 0.5, 0.9, 0.9], [0.1, 0.1, 0.1, 0.9])
    wanted = sections.Unsure(precision=0.9, unlike=0.1)
    told = unsure.told(Limits(0.6, 0.5), wanted, test, test)
    assert told["test"] == {"images": 4, "answered": 2, "right": 2, "right_answered": 1}
    assert told["wanted"] == {"precision": 0.9, "unlike": 0.1}
    assert (told["probability"], told["distance"]) == (0.6, 0.5)
    assert unsure.summary(told) == (
        "unsure where less probable than 0.6000 or further than 0.5000 from the training images: "
        "2 of 4 test images get an answer, of which 50.00 % are right, without limits 50.00 %; no "
        "limit makes 90 % right, as was wanted: at the best 50.00 % of images new to it"
    )
    reached = unsure.told(Limits(0.6, 0.5), sections.Unsure(precision=0.5), test, test)
    assert unsure.summary(reached).endswith("without limits 50.00 %")


def test_without_limits_it_is_never_unsure():
    told = unsure.told(Limits(None, None), sections.Unsure(precision=0.5), TEN, TEN)
    assert unsure.summary(told).startswith("never unsure: ")
