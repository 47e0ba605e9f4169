import random
import re

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
    path = tmp_path / "plain.parquet"
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
    message = r"plain\.parquet: must have the columns p:7, p:8, got p:7, p:NA, .*; run the stage"
    with pytest.raises(DataError, match=message):
        predictions.read(table, ("7", "8"))


def test_no_table(tmp_path):
    with pytest.raises(DataError, match=r"none\.parquet: not found; run the stage that writes it"):
        predictions.read(tmp_path / "none.parquet", CLASSES)


def test_a_damaged_table(table):
    """It is told in a line, or nothing that matters is damaged, such as a statistic."""
    whole, draw, said = table.read_bytes(), random.Random(1), []
    before = predictions.table(predictions.read(table, CLASSES))
    for _ in range(300):
        content = bytearray(whole)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        table.write_bytes(content)
        try:
            found = predictions.read(table, CLASSES)
        except DataError as error:
            said.append(str(error))
        else:
            pd.testing.assert_frame_equal(predictions.table(found), before)
    assert len(said) > 150
    line = re.compile(rf"{re.escape(str(table))}: .*; run the stage that writes it again")
    assert [one for one in said if not line.fullmatch(one)] == []


@pytest.mark.parametrize("kept", [0, 3, 4, 500, -1])
def test_a_table_that_was_cut_off(table, kept):
    table.write_bytes(table.read_bytes()[:kept])

    with pytest.raises(DataError, match=r"plain\.parquet: must .*; run the stage that writ"):
        predictions.read(table, CLASSES)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"true": ["a"], "predicted": ["a"]}, "must have the column image, got true, predicted"),
        ({"image": [], "true": [], "predicted": [], "p:a": []}, "must have a row for each test"),
        ({"image": ["0"], "true": ["a"], "predicted": ["b"], "p:a": [1.0]}, "row 1: predicted mu"),
        ({"image": ["0"], "true": ["a"], "predicted": [1], "p:a": [1.0]}, "row 1: predicted must"),
        ({"image": ["0"], "true": ["a"], "predicted": ["a"], "p:a": ["x"]}, "probabilities must b"),
        ({"image": ["0"], "true": ["a"], "predicted": ["a"], "p:a": [{"x": 1}]}, "probabilities"),
    ],
)
def test_another_programs_table(table, columns, message):
    pd.DataFrame(columns).to_parquet(table)

    with pytest.raises(DataError, match=rf"plain\.parquet: {message}.*; run the stage that writes"):
        predictions.read(table, ("a",))


def test_equal_tables_are_equal_bytes_that_name_no_pandas(table):
    found = predictions.read(table, CLASSES)
    again = table.with_name("again.parquet")
    predictions.write(again, found)

    assert again.read_bytes() == table.read_bytes()
    assert b"pandas" not in table.read_bytes()


def test_pandas_reads_it(table):
    """As docs/gate.md says."""
    rows = pd.read_parquet(table, columns=["true", "predicted", "probability"])

    assert rows["true"].tolist() == [CLASSES[label] for label in LABELS]
    np.testing.assert_array_equal(rows["probability"], PROBABILITIES.max(axis=1))


def test_names_with_any_letters(tmp_path):
    classes = ("p:a.b", "list.element", "犬 🐕", 'a "b", c', " ")
    photos = ["ñ/a, b.jpg", 'x/"é".jpg', "7", "", "..\\a.jpg"]
    probabilities = np.eye(5, dtype=np.float32)
    path = tmp_path / "any.parquet"
    made = predictions.make(
        np.arange(5), probabilities, classes, np.arange(5, dtype=np.uint64), photos
    )
    predictions.write(path, made)

    found = predictions.read(path, classes)

    assert found.photos == photos
    assert found.labels.tolist() == found.predicted.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(found.probabilities, probabilities)


def test_csv_of_earlier_versions_is_read_to_the_bit():
    generator = np.random.default_rng(1)
    drawn = generator.dirichlet(np.full(3, 0.1), 1000).astype(np.float32)
    made = made_up.predictions(generator.integers(0, 3, 1000), drawn, CLASSES)

    found = predictions.parse(predictions.table(made).to_csv(index=False).encode(), "p.csv")

    np.testing.assert_array_equal(found.probabilities, drawn)
    assert found.probabilities.dtype == np.float32
    np.testing.assert_array_equal(found.images, made.images)
    np.testing.assert_array_equal(found.labels, made.labels)


def test_of_other_classes_the_first_are_named(table):
    many = tuple(map(str, range(1000)))

    with pytest.raises(DataError, match=r" p:0, p:1, p:2, p:3, p:4 and 995 more, got p:7, p:NA"):
        predictions.read(table, many)


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
        "train the model again, or, of an architecture of your own, end it with a softmax$"
    )
    with pytest.raises(DataError, match=message):
        made_up.predictions(np.zeros(6, int), probabilities)


def test_of_many_classes_the_first_are_named():
    with pytest.raises(DataError, match=r"got 1, 1, 1, 1, 1, …; train"):
        made_up.predictions([0, 1], np.ones((2, 6), np.float32))
