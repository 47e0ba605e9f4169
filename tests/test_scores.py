"""Figures of a few rows computed by hand, and of many compared with scikit-learn's."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from imago import scores

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


def drawn(examples=500, class_count=4):
    random = np.random.default_rng(6)
    probabilities = random.dirichlet(np.ones(class_count), examples)
    labels = np.array([random.choice(class_count, p=row) for row in probabilities], np.int32)
    return labels, probabilities


def test_summary_by_hand():
    summary = scores.summary(LABELS, PROBABILITIES)

    assert list(summary) == [
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "loss",
        "macro_f1",
        "examples",
    ]
    assert summary["accuracy"] == 3 / 6
    assert summary["examples"] == 6
    # right answers have p = 1/2, wrong ones left 1/4 to the truth
    assert summary["loss"] == pytest.approx((3 * math.log(2) + 3 * math.log(4)) / 6)
    # F1 = 2 TP / (2 TP + FP + FN); cat 4/(4+1+1), dog 2/(2+2+1), owl 0/(0+0+1)
    assert summary["macro_f1"] == pytest.approx((4 / 6 + 2 / 5 + 0) / 3)


def test_summary_is_plain_numbers():
    summary = scores.summary(LABELS, PROBABILITIES)

    assert json.loads(json.dumps(summary)) == summary
    assert {type(value) for value in summary.values()} == {float, int}


@pytest.mark.parametrize(
    ("correct", "examples", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_interval_is_as_published(correct, examples, low, high):
    """Source: Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    predicted = np.repeat([1, 0], [correct, examples - correct])

    summary = scores.summary(np.ones(examples, np.int32), certain(predicted, 2))

    assert summary["accuracy_low"] == pytest.approx(low, abs=5e-5)
    assert summary["accuracy_high"] == pytest.approx(high, abs=5e-5)


def test_interval_by_hand():
    # (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n) with n = 10, p = 0.5
    z = 1.959963984540054
    half = z * math.sqrt(0.025 + z**2 / 400) / (1 + z**2 / 10)

    summary = scores.summary(np.zeros(10, np.int32), certain([0, 1] * 5, 2))

    assert summary["accuracy_low"] == pytest.approx(0.5 - half)
    assert summary["accuracy_high"] == pytest.approx(0.5 + half)


def test_summary_of_perfect_predictions():
    summary = scores.summary(LABELS, certain(LABELS))

    assert (summary["accuracy"], summary["macro_f1"], summary["loss"]) == (1, 1, 0)
    assert summary["accuracy_high"] == 1
    assert 0 < summary["accuracy_low"] < 1


def test_summary_agrees_with_scikit_learn():
    labels, probabilities = drawn()
    predicted = probabilities.argmax(axis=1)

    summary = scores.summary(labels, probabilities)

    assert summary["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert summary["loss"] == pytest.approx(metrics.log_loss(labels, probabilities))
    assert summary["macro_f1"] == pytest.approx(
        metrics.f1_score(labels, predicted, average="macro")
    )
    assert 0.4 < summary["accuracy"] < 0.6


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

    assert list(table.columns) == ["class", "precision", "recall", "f1", "support"]
    assert rows(table) == [
        ("cat", pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3), 3),
        ("dog", pytest.approx(1 / 3), pytest.approx(1 / 2), pytest.approx(2 / 5), 2),
        ("owl", 0, 0, 0, 1),  # never predicted
    ]


@pytest.mark.parametrize("predicted", [1, 2])
def test_per_class_of_a_class_absent_from_the_labels(predicted):
    table = scores.per_class(np.array([0, 1]), certain([0, predicted]), CLASSES)

    right = int(predicted == 1)
    assert rows(table) == [
        ("cat", 1, 1, 1, 1),
        ("dog", right, right, right, 1),
        ("owl", 0, 0, 0, 0),
    ]


def test_macro_f1_is_the_mean_of_the_table():
    labels, probabilities = drawn()

    table = scores.per_class(labels, probabilities, tuple("abcd"))

    assert scores.summary(labels, probabilities)["macro_f1"] == pytest.approx(table["f1"].mean())


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
