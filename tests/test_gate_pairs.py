import numpy as np
import pandas as pd
import pytest
from gate_project import labels, table

from imago.core.errors import GateError
from imago.gate import pairs
from imago.scoring import predictions

TRUTH = labels(3)
ROWS = table(TRUTH, TRUTH)


def parsed(rows):
    return predictions.parse(rows.to_csv(index=False).encode(), "p.csv")


def new(rows):
    return rows.iloc[[0]].assign(image="f" * 16)


def test_rows_are_paired_by_their_images():
    shuffled = ROWS.sample(frac=1, random_state=4)

    first, second, new = pairs.pair(parsed(ROWS), parsed(shuffled))

    assert first.images.tolist() == second.images.tolist()
    assert first.labels.tolist() == second.labels.tolist()
    assert new == 0


def test_images_that_are_new_are_left_out():
    first, second, new = pairs.pair(parsed(ROWS.iloc[2:]), parsed(ROWS.iloc[::-1]))

    assert first.images.tolist() == second.images.tolist()
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert (len(first.labels), new) == (len(ROWS) - 2, 2)


def test_a_copy_of_an_image_that_is_added_under_another_label_changes_none():
    copy = ROWS.iloc[[1]].assign(true="a")
    assert copy["true"].iloc[0] < ROWS["true"].iloc[1]

    first, second, new = pairs.pair(parsed(ROWS), parsed(pd.concat([copy, ROWS])))

    assert first.labels.tolist() == second.labels.tolist()
    assert new == 1


def test_images_that_are_alike_are_paired_in_turn():
    """Twice the same pixels, once labelled otherwise."""
    twice = ROWS.copy()
    twice.loc[[1, 2], "image"] = "0000000000000000"

    first, second, _ = pairs.pair(parsed(twice), parsed(twice.iloc[::-1]))

    assert first.labels.tolist() == second.labels.tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.iloc[2:], "2 images only in the base"),
        (lambda rows: rows.assign(image=rows["image"].str.replace("000", "abc", n=1)), "30 images"),
        (lambda rows: rows.assign(true=["b", *rows["true"][1:]]), "1 images with another true"),
        (
            lambda rows: pd.concat([rows.assign(true=["b", *rows["true"][1:]]), new(rows)]),
            "1 images with another true",
        ),
        (
            lambda rows: pd.concat([rows.iloc[2:], new(rows)]),
            "2 images only in the base, 1 images only here;",
        ),
        (lambda rows: rows.rename(columns={"p:a": "p:A"}).replace("a", "A"), "classes a, b, c, d"),
    ],
    ids=["fewer", "others", "relabelled", "relabelled and new", "gone and new", "renamed"],
)
def test_other_splits_are_refused(change, said):
    with pytest.raises(GateError, match=f"the test splits differ: {said}"):
        pairs.pair(parsed(ROWS), parsed(change(ROWS.copy())))
