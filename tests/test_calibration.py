"""Tables of a few rows computed by hand, and of many compared with scikit-learn's."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from imago.scoring import calibration, intervals
from tests import made_up

COLUMNS = [
    "confidence_above",
    "confidence_to",
    "examples",
    "confidence",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
]


def of_two(confidences):
    """Probabilities of two classes, of which the first is predicted."""
    first = np.array(confidences)
    return np.stack([first, 1 - first], axis=1)


def drawn(seed, class_count, examples=600):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(class_count), examples)
    return random.integers(0, class_count, examples), probabilities


def test_reliability_by_hand():
    labels, probabilities = np.array([0, 1, 0]), of_two([0.90, 0.92, 0.62])

    table = calibration.reliability(labels, probabilities)

    assert table.columns.tolist() == COLUMNS
    assert len(table) == 15
    assert table["examples"].tolist() == [0] * 9 + [1, 0, 0, 0, 2, 0]
    assert table.iloc[9].tolist() == pytest.approx(
        [9 / 15, 10 / 15, 1, 0.62, 1, *intervals.wilson(1, 1)], abs=1e-6
    )
    assert table.iloc[13].tolist() == pytest.approx(
        [13 / 15, 14 / 15, 2, 0.91, 1 / 2, *intervals.wilson(1, 2)], abs=1e-6
    )


def test_bins_without_examples_have_no_figures():
    table = calibration.reliability(np.array([0]), of_two([1.0]))

    assert table["examples"].tolist() == [0] * 14 + [1]
    assert table.loc[:13, COLUMNS[3:]].isna().all(axis=None)
    assert table.loc[14, COLUMNS[2:]].tolist() == pytest.approx(
        [1, 1, 1, *intervals.wilson(1, 1)], abs=1e-6
    )


@pytest.mark.parametrize(
    ("confidence", "row"),
    [(0.6, 8), (np.nextafter(0.6, 1), 9), (0.5, 7), (1.0, 14), (1.0000001, 14)],
)
def test_a_bins_upper_bound_is_in_it(confidence, row):
    table = calibration.reliability(np.array([0]), of_two([confidence]))

    assert np.flatnonzero(table["examples"]).tolist() == [row]


@pytest.mark.parametrize("class_count", [2, 10])
@pytest.mark.parametrize("seed", range(5))
def test_reliability_agrees_with_scikit_learn(seed, class_count):
    labels, probabilities = drawn(seed, class_count)
    right, confidence = probabilities.argmax(axis=1) == labels, probabilities.max(axis=1)
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=calibration.BINS)

    table = calibration.reliability(labels, probabilities)

    filled = table[table["examples"] > 0]
    assert filled["accuracy"].tolist() == pytest.approx(accuracy, abs=1e-6)
    assert filled["confidence"].tolist() == pytest.approx(mean_confidence, abs=1e-6)
    assert table["examples"].sum() == len(labels)
    gaps = filled["examples"] * (filled["accuracy"] - filled["confidence"]).abs()
    error = made_up.value("expected_calibration_error", labels, probabilities)
    assert error == pytest.approx(gaps.sum() / len(labels), abs=1e-6)
