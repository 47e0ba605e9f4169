"""Tables of a few rows computed by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from imago.scoring import tables
from tests import made_up

CLASSES = ("cat", "dog", "owl")
LABELS = np.array([0, 0, 0, 1, 1, 2], np.int32)
PROBABILITIES = np.array(
    [
        [0.50, 0.25, 0.25],  # cat, right
        [0.50, 0.25, 0.25],  # cat, right
        [0.25, 0.50, 0.25],  # dog, wrong
        [0.25, 0.50, 0.25],  # dog, right
        [0.50, 0.25, 0.25],  # cat, wrong
        [0.25, 0.50, 0.25],  # dog, wrong: owl is never predicted
    ],
    np.float32,
)


def certain(predicted, class_count=3):
    return np.eye(class_count, dtype=np.float32)[predicted]


def rows(table):
    return list(table.itertuples(index=False, name=None))


def drawn(examples=500, class_count=4, seed=6):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(class_count), examples)
    labels = np.array([random.choice(class_count, p=row) for row in probabilities], np.int32)
    return labels, probabilities


def test_per_class_by_hand():
    table = tables.per_class(LABELS, PROBABILITIES, CLASSES)

    assert list(table.columns) == ["class", "precision", "recall", "f1", "support", "roc_auc"]
    two_thirds = pytest.approx(2 / 3)
    assert rows(table) == [
        ("cat", two_thirds, two_thirds, two_thirds, 3, two_thirds),
        ("dog", pytest.approx(1 / 3), 1 / 2, pytest.approx(2 / 5), 2, 1 / 2),
        ("owl", 0, 0, 0, 1, 1 / 2),  # never predicted
    ]


@pytest.mark.parametrize("predicted", [1, 2])
def test_per_class_of_a_class_absent_from_the_labels(predicted):
    table = tables.per_class(np.array([0, 1]), certain([0, predicted]), CLASSES)

    right = int(predicted == 1)
    assert rows(table.drop(columns="roc_auc")) == [
        ("cat", 1, 1, 1, 1),
        ("dog", right, right, right, 1),
        ("owl", 0, 0, 0, 0),
    ]
    assert table["roc_auc"].isna().tolist() == [False, False, True]


def test_report_is_scikit_learns():
    assert tables.report(LABELS, PROBABILITIES, CLASSES).splitlines() == [
        "              precision    recall  f1-score   support",
        "",
        "         cat     0.6667    0.6667    0.6667         3",
        "         dog     0.3333    0.5000    0.4000         2",
        "         owl     0.0000    0.0000    0.0000         1",
        "",
        "    accuracy                         0.5000         6",
        "   macro avg     0.3333    0.3889    0.3556         6",
        "weighted avg     0.4444    0.5000    0.4667         6",
    ]


def test_report_has_a_row_for_a_class_absent_from_the_labels():
    text = tables.report(np.array([0, 1]), certain([0, 1]), CLASSES)

    assert "         owl     0.0000    0.0000    0.0000         0\n" in text


def test_confusion_by_hand():
    table = tables.confusion(LABELS, PROBABILITIES, CLASSES)

    assert list(table.columns) == ["true", "predicted", "count", "share"]
    assert rows(table) == [
        ("cat", "cat", 2, 0.666667),
        ("cat", "dog", 1, 0.333333),
        ("cat", "owl", 0, 0),
        ("dog", "cat", 1, 0.5),
        ("dog", "dog", 1, 0.5),
        ("dog", "owl", 0, 0),
        ("owl", "cat", 0, 0),
        ("owl", "dog", 1, 1),
        ("owl", "owl", 0, 0),
    ]


@pytest.mark.parametrize(
    ("predicted", "shares"),
    [
        pytest.param(0, [1, 0, 0, 0, 1, 0, 0, 0, 0], id="never predicted"),
        pytest.param(2, [0, 0, 1, 0, 1, 0, 0, 0, 0], id="predicted"),
    ],
)
def test_confusion_of_a_class_absent_from_the_labels(predicted, shares):
    table = tables.confusion(np.array([0, 1]), certain([predicted, 1]), CLASSES)

    assert table["share"].tolist() == shares


def test_confusion_adds_up():
    labels, probabilities = drawn()

    table = tables.confusion(labels, probabilities, tuple("abcd"))

    support = np.bincount(labels, minlength=4).tolist()
    predictions = np.bincount(probabilities.argmax(axis=1), minlength=4).tolist()
    right = table[table["true"] == table["predicted"]]["count"].sum()
    assert table.groupby("true")["count"].sum().tolist() == support
    assert table.groupby("predicted")["count"].sum().tolist() == predictions
    assert table.groupby("true")["share"].sum().to_numpy() == pytest.approx(1, abs=1e-5)
    assert right / 500 == made_up.value("accuracy", labels, probabilities)


@pytest.mark.parametrize(("class_count", "is_whole"), [(50, True), (51, False), (300, False)])
def test_confusion_of_many_classes_is_that_of_its_largest_cells(class_count, is_whole):
    generator = np.random.default_rng(4)
    labels = generator.integers(0, class_count, 3000)
    predicted = np.where(generator.random(3000) < 0.6, labels, (labels**2) % class_count)
    classes = tuple(f"class {number}" for number in range(class_count))

    table = tables.confusion(labels, np.eye(class_count)[predicted], classes)

    every = pd.DataFrame(
        [
            (classes[true], classes[other], int(count), round(count / row.sum(), 6))
            for true, row in enumerate(metrics.confusion_matrix(labels, predicted))
            for other, count in enumerate(row)
        ],
        columns=["true", "predicted", "count", "share"],
    )
    if is_whole:
        pd.testing.assert_frame_equal(table, every)
        return
    is_right = every["true"] == every["predicted"]
    largest = every[~is_right & (every["count"] > 0)].sort_values(
        ["count", "share"], ascending=False, kind="stable"
    )
    expected = every.loc[sorted([*every.index[is_right], *largest.index[: tables.MISTAKES]])]
    pd.testing.assert_frame_equal(table, expected.reset_index(drop=True))


def test_tables_have_class_names_not_numbers():
    named = [
        tables.per_class(LABELS, PROBABILITIES, CLASSES)["class"],
        tables.confusion(LABELS, PROBABILITIES, CLASSES)["true"],
    ]

    assert all(set(column) == set(CLASSES) for column in named)
    assert all(pd.api.types.is_string_dtype(column) for column in named)
