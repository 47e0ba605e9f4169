"""Figures of a few rows computed by hand, and of many compared with scikit-learn's."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from imago.core.errors import DataError
from imago.scoring import scores

CLASSES = ("cat", "dog", "owl")
LABELS = np.array([0, 0, 0, 1, 1, 2], np.int32)
IDENTITIES = np.arange(len(LABELS), dtype=np.uint64)
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


def test_summary_by_hand():
    summary = scores.summary(LABELS, PROBABILITIES)

    assert list(summary) == [
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "balanced_accuracy",
        "macro_f1",
        "weighted_f1",
        "roc_auc",
        "loss",
        "brier_score",
        "expected_calibration_error",
        "examples",
    ]
    assert summary["accuracy"] == 3 / 6
    assert summary["examples"] == 6
    # right answers have p = 1/2, wrong ones left 1/4 to the truth
    assert summary["loss"] == pytest.approx((3 * math.log(2) + 3 * math.log(4)) / 6)
    # F1 = 2 TP / (2 TP + FP + FN); cat 4/(4+1+1), dog 2/(2+2+1), owl 0/(0+0+1)
    assert summary["macro_f1"] == pytest.approx((4 / 6 + 2 / 5 + 0) / 3)
    assert summary["weighted_f1"] == pytest.approx((3 * 4 / 6 + 2 * 2 / 5 + 1 * 0) / 6)
    # recall of cat 2/3, dog 1/2, owl 0/1
    assert summary["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    # pairs of an example of the class and one of another, in the right order, half for equal ones:
    # cat p(own) 1/2 1/2 1/4 against 1/4 1/2 1/4, dog 1/2 1/4 against 1/4 1/4 1/2 1/2, owl all 1/4
    cat, dog, owl = (2 * (1 + 1 / 2 + 1) + (1 / 2 + 0 + 1 / 2)) / 9, (3 + 1) / 8, 1 / 2
    assert summary["roc_auc"] == pytest.approx((cat + dog + owl) / 3)
    # right: (1/2)² + 2 (1/4)²; wrong: (1/2)² + (3/4)² + (1/4)²
    assert summary["brier_score"] == pytest.approx((3 * 6 / 16 + 3 * 14 / 16) / 6)
    assert summary["expected_calibration_error"] == 0  # confidence 1/2, right in 3 of 6


def test_summary_is_plain_numbers():
    summary = scores.summary(LABELS, PROBABILITIES)

    assert json.loads(json.dumps(summary)) == summary
    assert {type(value) for value in summary.values()} == {float, int}


def test_summary_of_perfect_predictions():
    summary = scores.summary(LABELS, certain(LABELS))

    assert all(
        summary[name] == 1
        for name in ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "roc_auc")
    )
    assert all(summary[name] == 0 for name in ("loss", "brier_score", "expected_calibration_error"))
    assert summary["accuracy_high"] == 1
    assert 0 < summary["accuracy_low"] < 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("class_count", [2, 4, 12])
def test_summary_agrees_with_scikit_learn(class_count, seed):
    labels, probabilities = drawn(class_count=class_count, seed=seed)
    predicted = probabilities.argmax(axis=1)
    one_hot = np.eye(class_count)[labels]

    summary = scores.summary(labels, probabilities)

    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "weighted_f1": metrics.f1_score(labels, predicted, average="weighted"),
        "roc_auc": metrics.roc_auc_score(one_hot, probabilities, average="macro"),
        "loss": metrics.log_loss(labels, probabilities),
        "brier_score": metrics.brier_score_loss(labels, probabilities, scale_by_half=False),
    }
    if class_count == 12:
        for k in (3, 5):
            found = metrics.top_k_accuracy_score(labels, probabilities, k=k)
            expected[f"top_{k}_accuracy"] = found
    assert {name: summary[name] for name in expected} == pytest.approx(expected)
    assert len(summary) == len(expected) + 4  # the interval's two ends, calibration, examples


@pytest.mark.parametrize(
    ("class_count", "names"),
    [
        (2, []),
        (5, []),
        (6, ["top_3_accuracy"]),
        (10, ["top_3_accuracy"]),
        (11, ["top_3_accuracy", "top_5_accuracy"]),
    ],
)
def test_top_k_is_given_where_there_are_clearly_more_classes(class_count, names):
    summary = scores.summary(*drawn(class_count=class_count))

    assert [name for name in summary if name.startswith("top_")] == names


@pytest.mark.parametrize(("k", "right"), [(1, 1), (2, 2), (3, 3), (4, 4)])
def test_top_k_by_hand(k, right):
    probabilities = np.tile([0.1, 0.4, 0.3, 0.2], (4, 1))  # from the most probable: 1, 2, 3, 0

    assert scores.top_k_accuracy(np.array([0, 1, 2, 3]), probabilities, k) == right / 4


@pytest.mark.parametrize("k", [1, 2, 3])
def test_of_equal_probabilities_the_first_counts_as_greater(k):
    """As in argmax, so that top 1 is the accuracy and no top k is below it."""
    labels, probabilities = np.arange(6), np.full((6, 6), 1 / 6)

    assert scores.top_k_accuracy(labels, probabilities, k) == k / 6


@pytest.mark.parametrize("predicted", [1, 2], ids=["predicted right", "predicted as the absent"])
def test_a_class_without_test_examples_is_left_out_of_means_of_recall_and_roc(predicted):
    labels = np.array([0, 0, 1, 1])
    probabilities = certain([0, 0, 1, predicted])

    summary = scores.summary(labels, probabilities)

    right = int(predicted == 1)
    assert summary["balanced_accuracy"] == (1 + (1 + right) / 2) / 2
    # cat: every pair in order. dog: 1 and p(dog) of the last against two of 0.
    assert summary["roc_auc"] == (1 + (2 + 2 * (1 if right else 1 / 2)) / 4) / 2


@pytest.mark.parametrize("label", [0, 1])
def test_summary_of_a_single_example(label):
    """There is no ROC with one class alone; every other figure is defined."""
    summary = scores.summary(np.array([label]), np.array([[0.75, 0.25]], np.float32))

    assert "roc_auc" not in summary
    right = int(label == 0)
    expected = {"accuracy": right, "balanced_accuracy": right, "weighted_f1": right, "examples": 1}
    assert {name: summary[name] for name in expected} == expected
    assert summary["macro_f1"] == right / 2
    assert summary["brier_score"] == (2 / 16 if right else 2 * 9 / 16)
    assert summary["expected_calibration_error"] == (0.25 if right else 0.75)


def test_summary_of_rows_that_add_up_to_one_in_float32_only():
    labels, probabilities = drawn(class_count=12)
    rounded = (probabilities * np.float32(1 + 3e-7)).astype(np.float32)
    rounded[0] = 0
    rounded[0, labels[0]] = np.nextafter(np.float32(1), np.float32(2))  # scikit-learn refuses it

    scores.check(rounded)
    probabilities[0] = np.eye(12)[labels[0]]
    expected = scores.summary(labels, probabilities)
    assert scores.summary(labels, rounded) == pytest.approx(expected, abs=1e-5)


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
    probabilities = PROBABILITIES.copy()
    probabilities[4] = row

    message = (
        rf"^example 4: the model's output must be probabilities that add up to 1, got {got}; "
        "train the model again$"
    )
    with pytest.raises(DataError, match=message):
        scores.check(probabilities)


def test_of_many_classes_the_first_are_named():
    with pytest.raises(DataError, match=r"got 1, 1, 1, 1, 1, …; train"):
        scores.check(np.ones((2, 6), np.float32))


def test_macro_f1_is_over_the_classes_of_the_model():
    labels = np.array([0, 1])

    assert scores.summary(labels, certain(labels, 2))["macro_f1"] == 1
    assert scores.summary(labels, certain(labels, 4))["macro_f1"] == 2 / 4


@pytest.mark.parametrize("probability", [0.0, 1e-9, 1e-7])
def test_cross_entropy_of_a_certain_error_is_finite(probability):
    probabilities = np.array([[1 - probability, probability]])

    assert scores.cross_entropy(np.array([1]), probabilities) == pytest.approx(7 * math.log(10))


def test_cross_entropy_does_not_lose_small_terms():
    """In float32 the sum would stop growing."""
    probabilities = np.tile(np.array([[0.999, 0.001]], np.float32), (200_000, 1))

    loss = scores.cross_entropy(np.zeros(200_000, np.int32), probabilities)

    assert loss == pytest.approx(-math.log(np.float32(0.999)), rel=1e-12)


def test_per_class_by_hand():
    table = scores.per_class(LABELS, PROBABILITIES, CLASSES)

    assert list(table.columns) == ["class", "precision", "recall", "f1", "support", "roc_auc"]
    two_thirds = pytest.approx(2 / 3)
    assert rows(table) == [
        ("cat", two_thirds, two_thirds, two_thirds, 3, two_thirds),
        ("dog", pytest.approx(1 / 3), 1 / 2, pytest.approx(2 / 5), 2, 1 / 2),
        ("owl", 0, 0, 0, 1, 1 / 2),  # never predicted
    ]


@pytest.mark.parametrize("predicted", [1, 2])
def test_per_class_of_a_class_absent_from_the_labels(predicted):
    table = scores.per_class(np.array([0, 1]), certain([0, predicted]), CLASSES)

    right = int(predicted == 1)
    assert rows(table.drop(columns="roc_auc")) == [
        ("cat", 1, 1, 1, 1),
        ("dog", right, right, right, 1),
        ("owl", 0, 0, 0, 0),
    ]
    assert table["roc_auc"].isna().tolist() == [False, False, True]


def test_macro_f1_is_the_mean_of_the_table():
    labels, probabilities = drawn()

    table = scores.per_class(labels, probabilities, tuple("abcd"))

    assert scores.summary(labels, probabilities)["macro_f1"] == pytest.approx(table["f1"].mean())


def test_macro_roc_auc_is_the_mean_of_the_table():
    labels, probabilities = drawn()

    areas = scores.per_class(labels, probabilities, tuple("abcd"))["roc_auc"]

    assert scores.summary(labels, probabilities)["roc_auc"] == pytest.approx(areas.mean())


def test_report_is_scikit_learns():
    assert scores.report(LABELS, PROBABILITIES, CLASSES).splitlines() == [
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
    text = scores.report(np.array([0, 1]), certain([0, 1]), CLASSES)

    assert "         owl     0.0000    0.0000    0.0000         0\n" in text


def test_confusion_by_hand():
    table = scores.confusion(LABELS, PROBABILITIES, CLASSES)

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
    table = scores.confusion(np.array([0, 1]), certain([predicted, 1]), CLASSES)

    assert table["share"].tolist() == shares


def test_confusion_adds_up():
    labels, probabilities = drawn()

    table = scores.confusion(labels, probabilities, tuple("abcd"))

    support = np.bincount(labels, minlength=4).tolist()
    predictions = np.bincount(probabilities.argmax(axis=1), minlength=4).tolist()
    right = table[table["true"] == table["predicted"]]["count"].sum()
    assert table.groupby("true")["count"].sum().tolist() == support
    assert table.groupby("predicted")["count"].sum().tolist() == predictions
    assert table.groupby("true")["share"].sum().to_numpy() == pytest.approx(1, abs=1e-5)
    assert right / 500 == scores.summary(labels, probabilities)["accuracy"]


def test_per_example_by_hand():
    labels = np.array([1, 2, 0], np.int32)
    probabilities = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]])

    identities = np.array([2**64 - 1, 0, 10], np.uint64)

    table = scores.per_example(labels, probabilities, CLASSES, identities)

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
    assert rows(table) == [
        (0, "ffffffffffffffff", "dog", "dog", 0.7, 0.7, 0.1, 0.7, 0.2),
        (1, "0000000000000000", "owl", "cat", 0.6, 0.1, 0.6, 0.3, 0.1),
        (2, "000000000000000a", "cat", "owl", 0.5, 0.2, 0.2, 0.3, 0.5),
    ]


def test_per_example_keeps_the_models_precision():
    table = scores.per_example(LABELS, PROBABILITIES, CLASSES, IDENTITIES)

    assert table["probability"].dtype == np.float32
    assert table["true_probability"].dtype == np.float32


def test_tables_have_class_names_not_numbers():
    tables = [
        scores.per_class(LABELS, PROBABILITIES, CLASSES)["class"],
        scores.confusion(LABELS, PROBABILITIES, CLASSES)["true"],
        scores.per_example(LABELS, PROBABILITIES, CLASSES, IDENTITIES)["true"],
    ]

    assert all(set(column) == set(CLASSES) for column in tables)
    assert all(pd.api.types.is_string_dtype(column) for column in tables)
