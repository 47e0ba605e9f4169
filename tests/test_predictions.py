import numpy as np
import pandas as pd
import pytest

from imago.core.errors import DataError
from imago.scoring import predictions
from imago.scoring.metrics import calibration, loss
from tests import made_up

CLASSES = ("7", "NA", "true, or not")
LABELS = np.array([1, 0, 2])
PROBABILITIES = np.array([[0.25, 0.7499, 0.0001], [0.125, 0.375, 0.5], [0.1, 0.2, 0.7]], np.float32)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "plain.csv"
    predictions.write(path, made_up.predictions(LABELS, PROBABILITIES, CLASSES))
    return path


def test_what_was_written_is_read_to_the_bit(table):
    found = predictions.read(table, CLASSES)

    assert found.classes == CLASSES
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_array_equal(found.probabilities, PROBABILITIES)
    assert found.probabilities.dtype == np.float32


def test_what_follows_from_the_probabilities(table):
    found = predictions.read(table, CLASSES)

    assert found.predicted.tolist() == [1, 2, 2]
    np.testing.assert_array_equal(found.confidence, PROBABILITIES.max(axis=1))
    assert found.right.tolist() == [True, False, True]


def test_another_set_of_classes(table):
    message = r"plain\.csv: must have the columns p:7, p:8, got p:7, p:NA, .*; run the stage"
    with pytest.raises(DataError, match=message):
        predictions.read(table, ("7", "8"))


def test_no_table(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: not found; run the stage that writes it"):
        predictions.read(tmp_path / "none.csv", CLASSES)


def test_a_damaged_table(table):
    table.write_text(table.read_text("utf-8").replace("NA,NA", "NA,no"), "utf-8")

    message = r"plain\.csv: row 1: predicted must be a class .*, got 'no'; run the stage that"
    with pytest.raises(DataError, match=message):
        predictions.read(table, CLASSES)


def test_what_evaluate_writes():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], np.float32)
    truth, classes = np.array([0, 2]), ["7", "NA", "true"]
    made = predictions.make(truth, probabilities, classes, np.array([5, 2**63], np.uint64))

    found = predictions.parse(predictions.table(made).to_csv(index=False).encode(), "p.csv")

    assert found.classes == ("7", "NA", "true")
    assert found.images.tolist() == ["0000000000000005", "8000000000000000"]
    assert found.labels.tolist() == [0, 2]
    assert found.predicted.tolist() == [0, 0]
    assert found.right.tolist() == [True, False]
    assert loss.of_each(found).mean() == pytest.approx(made_up.value("loss", truth, probabilities))
    assert calibration.brier_scores(found) == pytest.approx(
        [0.09 + 0.04 + 0.01, 0.25 + 0.09 + 0.64], abs=1e-6
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "p.csv: must be a table of predictions: No columns"),
        (b"example,true,predicted\n", "p.csv: must have the column image, got example, true"),
        (b"image,true,predicted,p:a\n", "p.csv: must have a row for each test image, got none"),
        (b"image,true,predicted,p:a\n0,a,b,1\n", "p.csv: row 1: predicted must be a class with"),
        (b"image,true,predicted,p:a\n0,a,a,x\n", "p.csv: probabilities must be numbers"),
        (b"\xff\xfe", "p.csv: must be a table of predictions"),
    ],
)
def test_what_is_no_table_of_predictions(content, message):
    with pytest.raises(DataError, match=message):
        predictions.parse(content, "p.csv")


def test_the_table_by_hand():
    labels = np.array([1, 2, 0], np.int32)
    probabilities = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]])

    identities = np.array([2**64 - 1, 0, 10], np.uint64)

    made = predictions.make(labels, probabilities, ("cat", "dog", "owl"), identities)
    table = predictions.table(made)

    assert list(table.columns) == [
        "example",
        "image",
        "true",
        "predicted",
        "probability",
        "true_probability",
        "p:cat",
        "p:dog",
        "p:owl",
    ]
    assert list(table.itertuples(index=False, name=None)) == [
        (0, "ffffffffffffffff", "dog", "dog", 0.7, 0.7, 0.1, 0.7, 0.2),
        (1, "0000000000000000", "owl", "cat", 0.6, 0.1, 0.6, 0.3, 0.1),
        (2, "000000000000000a", "cat", "owl", 0.5, 0.2, 0.2, 0.3, 0.5),
    ]


def test_the_table_names_the_files_of_photos():
    """As they are: with commas, quotes, and what looks like a number."""
    photos = ["cat/a, b.jpg", 'dog/"é".jpg', "7"]
    labels = np.array([1, 2, 0], np.int32)
    made = predictions.make(
        labels, np.eye(3), ("cat", "dog", "owl"), np.arange(3, dtype=np.uint64), photos
    )
    table = predictions.table(made)
    assert list(table.columns)[:3] == ["example", "photo", "image"]
    found = predictions.parse(table.to_csv(index=False).encode(), "p.csv")
    assert found.photos == photos
    np.testing.assert_array_equal(found.labels, labels)


def test_the_table_keeps_the_models_precision():
    table = predictions.table(made_up.predictions(LABELS, PROBABILITIES, CLASSES))

    assert table["probability"].dtype == np.float32
    assert table["true_probability"].dtype == np.float32
    assert all(pd.api.types.is_string_dtype(table[name]) for name in ("image", "true", "predicted"))


@pytest.mark.parametrize(
    ("row", "got"),
    [
        pytest.param([np.nan, np.nan, np.nan], "nan, nan, nan", id="nan"),
        pytest.param([0.5, np.nan, 0.5], "0.5, nan, 0.5", id="one nan"),
        pytest.param([np.inf, 0, 0], "inf, 0, 0", id="inf"),
        pytest.param([-0.25, 0.75, 0.5], "-0.25, 0.75, 0.5", id="negative"),
        pytest.param([0.5, 0.25, 0.5], "0.5, 0.25, 0.5", id="more than 1"),
        pytest.param([0, 0, 0], "0, 0, 0", id="nothing"),
    ],
)
def test_what_is_no_probabilities_is_refused(row, got):
    probabilities = np.full((6, 3), [0.5, 0.25, 0.25], np.float32)
    probabilities[4] = row

    message = (
        rf"^example 4: the model's output must be probabilities that add up to 1, got {got}; "
        "train the model again$"
    )
    with pytest.raises(DataError, match=message):
        made_up.predictions(np.zeros(6, int), probabilities)


def test_of_many_classes_the_first_are_named():
    with pytest.raises(DataError, match=r"got 1, 1, 1, 1, 1, …; train"):
        made_up.predictions([0, 1], np.ones((2, 6), np.float32))
