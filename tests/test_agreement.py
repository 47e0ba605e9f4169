import math

import numpy as np
import pytest

from imago.core.errors import ExportError
from imago.core.sections import Export
from imago.exports import agreement
from imago.exports.agreement import Agreement

EXPECTED = np.array([[0.75, 0.25], [0.625, 0.375], [0.25, 0.75], [1.0, 0.0]], np.float32)
FOUND = np.array([[0.75, 0.25], [0.375, 0.625], [0.25, 0.75], [0.9375, 0.0625]], np.float32)
SETTINGS = Export(
    formats=["litert"],
    greatest_difference=0.001,
    greatest_accuracy_loss=0.01,
    calibration_images=1,
)


def test_compare():
    labels = np.array([0, 0, 1, 1], np.int32)
    assert agreement.compare(labels, EXPECTED, FOUND) == Agreement(
        examples=4,
        accuracy=0.5,
        same_class_as_keras=0.75,
        greatest_difference=0.25,
        right_in_one_alone=1,
    )
    assert agreement.accuracy(labels, EXPECTED) == 0.75


def given(accuracy: float, difference: float, alone: int = 0) -> Agreement:
    return Agreement(100, accuracy, 1.0, difference, alone)


@pytest.mark.parametrize(
    ("exact", "found", "too_far"),
    [
        (True, given(0.895, 0.001), given(0.895, 0.0011)),
        (False, given(0.895, 0.9), given(0.885, 0.9)),
        (False, given(0.95, 0.9), given(0.885, 0.0)),
    ],
    ids=["exact", "quantised", "quantised and better"],
)
def test_what_is_near_enough_passes_and_what_is_not_does_not(exact, found, too_far):
    agreement.check("litert", exact, found, 0.9, SETTINGS)
    with pytest.raises(ExportError, match="litert: "):
        agreement.check("litert", exact, too_far, 0.9, SETTINGS)


@pytest.mark.parametrize("right", range(1, 101))
def test_a_loss_of_just_what_is_allowed_passes(right):
    agreement.check("litert", False, given((right - 1) / 100, 0.9), right / 100, SETTINGS)


@pytest.mark.parametrize("examples", range(1, 200))
def test_one_image_never_fails_an_export(examples):
    """In the least of test splits, and however it falls in rounding."""
    strict = SETTINGS.model_copy(update={"greatest_accuracy_loss": 0.0})
    for right in {1, examples // 2, examples} - {0}:
        found = Agreement(examples, (right - 1) / examples, 1.0, 0.9, 0)
        agreement.check("litert_int8", False, found, right / examples, strict)


@pytest.mark.parametrize(
    ("examples", "lost", "alone", "allowed"),
    [
        (12, 1, 1, 1),
        (12, 4, 4, 4),
        (199, 5, 5, 5),
        (200, 6, 9, 7),
        (200, 9, 9, 7),
        (323, 4, 6, 6),  # of photos of one's own, with the values that imago add chooses
        (323, 12, 12, 8),
        (10_000, 101, 101, 101),
        (10_000, 103, 120, 110),
        (10_000, 130, 150, 114),
    ],
)
def test_the_loss_is_counted_in_images_beyond_chance(examples, lost, alone, allowed):
    found = Agreement(examples, (examples - lost) / examples, 1.0, 0.9, alone)
    if lost <= allowed:
        agreement.check("litert_int8", False, found, 1.0, SETTINGS)
        return
    message = (
        f"litert_int8: of {examples:,} test images, of which Keras gets {examples:,} right, it "
        f"must get {examples - allowed:,} or more, allowing for chance, got {examples - lost:,}, "
        "probabilities up to"
    )
    with pytest.raises(ExportError, match=message):
        agreement.check("litert_int8", False, found, 1.0, SETTINGS)


def test_a_share_that_is_a_whole_number_of_images_is_that_number():
    """0.07 * 100 is a little over 7, and 0.29 * 100 a little under 29."""
    assert [agreement.images_allowed(share, 100, 0) for share in (0.07, 0.29, 0.0)] == [7, 29, 1]


@pytest.mark.parametrize(
    ("found", "shown"),
    [(given(0.9, 0.0011), "1.10e-03"), (given(0.9, math.nan), "nan")],
    ids=["different", "not a number"],
)
def test_an_exact_format_that_differs(found, shown):
    message = (
        "litert: the greatest difference from Keras' probabilities must be at most 0.001, "
        f"got {shown}"
    )
    with pytest.raises(ExportError, match=message):
        agreement.check("litert", True, found, 0.9, SETTINGS)


@pytest.mark.parametrize(
    ("exact", "found", "shown"),
    [
        (False, given(0.88, 0.1), "88, probabilities up to 1.00e-01"),
        (True, given(0.88, 0.0001), "88, probabilities up to 1.00e-04"),
        (False, given(0.9, math.nan), "90, probabilities up to nan"),
    ],
    ids=["quantised", "exact", "not a number"],
)
def test_a_format_that_loses_accuracy(exact, found, shown):
    message = (
        "litert: of 100 test images, of which Keras gets 90 right, it must get 89 or more, "
        f"allowing for chance, got {shown}"
    )
    with pytest.raises(ExportError, match=message):
        agreement.check("litert", exact, found, 0.9, SETTINGS)


def test_a_format_that_loses_what_is_allowed_seldom_fails():
    """In no more than 5 of 100 test splits, and in some."""
    draw, failed = np.random.default_rng(1), 0
    for _ in range(2000):
        alone = int(draw.binomial(400, 0.05))  # images that one alone gets right
        of_keras = draw.binomial(alone, (1 + 4 / 20) / 2)  # a loss of 4 of 400, as is allowed
        failed += 2 * of_keras - alone > agreement.images_allowed(0.01, 400, alone)
    assert 0.01 < failed / 2000 < 0.06
