import numpy as np
import pytest
from gate_project import labels, table

from imago.core.errors import DataError, GateError
from imago.gate import predictions
from imago.scoring import scores

TRUTH = labels(3)
ROWS = table(TRUTH, TRUTH)


def parsed(rows):
    return predictions.parse(rows.to_csv(index=False).encode(), "p.csv")


def test_what_evaluate_writes():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], np.float32)
    truth, classes = np.array([0, 2]), ["7", "NA", "true"]
    rows = scores.per_example(truth, probabilities, classes, np.array([5, 2**63], np.uint64))

    found = parsed(rows)

    assert found.classes == ("7", "NA", "true")
    assert found.images.tolist() == ["0000000000000005", "8000000000000000"]
    assert found.labels.tolist() == [0, 2]
    assert found.predicted.tolist() == [0, 0]
    assert found.right.tolist() == [True, False]
    assert found.losses.mean() == pytest.approx(scores.cross_entropy(truth, probabilities))
    assert found.brier_scores == pytest.approx([0.09 + 0.04 + 0.01, 0.25 + 0.09 + 0.64], abs=1e-6)


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


def test_rows_are_paired_by_their_images():
    shuffled = ROWS.sample(frac=1, random_state=4)

    first, second = predictions.pair(parsed(ROWS), parsed(shuffled))

    assert first.images.tolist() == second.images.tolist()
    assert first.labels.tolist() == second.labels.tolist()


def test_images_that_are_alike_are_paired_in_turn():
    """Twice the same pixels, once labelled otherwise."""
    twice = ROWS.copy()
    twice.loc[[1, 2], "image"] = "0000000000000000"

    first, second = predictions.pair(parsed(twice), parsed(twice.iloc[::-1]))

    assert first.labels.tolist() == second.labels.tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.iloc[2:], "2 images only in the base"),
        (lambda rows: rows.assign(image=rows["image"].str.replace("000", "abc", n=1)), "30 images"),
        (lambda rows: rows.assign(true=["b", *rows["true"][1:]]), "1 images with another true"),
        (lambda rows: rows.rename(columns={"p:a": "p:A"}).replace("a", "A"), "classes a, b, c, d"),
    ],
    ids=["fewer", "others", "relabelled", "renamed"],
)
def test_other_splits_are_refused(change, said):
    with pytest.raises(GateError, match=f"the test splits differ: {said}"):
        predictions.pair(parsed(ROWS), parsed(change(ROWS.copy())))
