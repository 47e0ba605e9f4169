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
        examples=4, accuracy=0.5, same_class_as_keras=0.75, greatest_difference=0.25
    )
    assert agreement.accuracy(labels, EXPECTED) == 0.75


def given(accuracy: float, difference: float) -> Agreement:
    return Agreement(100, accuracy, 1.0, difference)


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
        (False, given(0.88, 0.1), "0.8800, probabilities up to 1.00e-01"),
        (True, given(0.88, 0.0001), "0.8800, probabilities up to 1.00e-04"),
        (False, given(0.9, math.nan), "0.9000, probabilities up to nan"),
    ],
    ids=["quantised", "exact", "not a number"],
)
def test_a_format_that_loses_accuracy(exact, found, shown):
    message = f"litert: the accuracy must be at most 0.01 less than Keras' 0.9000, got {shown}"
    with pytest.raises(ExportError, match=message):
        agreement.check("litert", exact, found, 0.9, SETTINGS)
