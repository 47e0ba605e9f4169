import numpy as np
import pytest

from imago.core import files
from imago.core.errors import DataError
from imago.scoring import outcomes, scores

CLASSES = ("7", "NA", "true, or not")
LABELS = np.array([1, 0, 2])
PROBABILITIES = np.array([[0.25, 0.7499, 0.0001], [0.125, 0.375, 0.5], [0.1, 0.2, 0.7]], np.float32)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "plain.csv"
    rows = scores.per_example(LABELS, PROBABILITIES, CLASSES, np.arange(3, dtype=np.uint64))
    files.write_csv(path, rows)
    return path


def test_what_was_written_is_read_to_the_bit(table):
    found = outcomes.read(table, CLASSES)

    assert found.classes == CLASSES
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_array_equal(found.probabilities, PROBABILITIES)
    assert found.probabilities.dtype == np.float32


def test_what_follows_from_the_probabilities(table):
    found = outcomes.read(table, CLASSES)

    assert found.predicted.tolist() == [1, 2, 2]
    np.testing.assert_array_equal(found.confidence, PROBABILITIES.max(axis=1))
    assert found.right.tolist() == [True, False, True]


def test_another_set_of_classes(table):
    message = r"plain\.csv: must have the columns p:7, p:8, got p:7, p:NA, .*; run the stage"
    with pytest.raises(DataError, match=message):
        outcomes.read(table, ("7", "8"))


def test_no_table(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: not found; run the stage that writes it"):
        outcomes.read(tmp_path / "none.csv", CLASSES)
