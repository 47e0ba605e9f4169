"""Metrics of a few rows computed by hand, and of many compared with scikit-learn's."""

import dataclasses
import json
import math

import numpy as np
import pytest
from sklearn import metrics

from imago.core import registry
from imago.core.errors import ExtensionError
from imago.scoring import metric, summary, tables
from imago.scoring.metric import ByAnswers, ByCounts, ByValues
from imago.scoring.metrics import top_k
from tests import made_up

LABELS = np.array([0, 0, 0, 1, 1, 2], np.int32)
PROBABILITIES = np.array(
    [
        [0.50, 0.25, 0.25],  # right
        [0.50, 0.25, 0.25],  # right
        [0.25, 0.50, 0.25],  # wrong
        [0.25, 0.50, 0.25],  # right
        [0.50, 0.25, 0.25],  # wrong
        [0.25, 0.50, 0.25],  # wrong: the third is never predicted
    ],
    np.float32,
)


def summary_of(labels, probabilities):
    return summary.compute(made_up.evaluation(labels, probabilities))


def certain(predicted, class_count=3):
    return np.eye(class_count, dtype=np.float32)[predicted]


def drawn(examples=500, class_count=4, seed=6):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(class_count), examples)
    labels = np.array([random.choice(class_count, p=row) for row in probabilities], np.int32)
    return labels, probabilities


def of_two(confidences):
    """Probabilities of two classes, of which the first is predicted."""
    first = np.array(confidences)
    return np.stack([first, 1 - first], axis=1)


def test_summary_by_hand():
    found = summary_of(LABELS, PROBABILITIES)

    assert list(found) == [
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "balanced_accuracy",
        "balanced_accuracy_low",
        "balanced_accuracy_high",
        "macro_f1",
        "weighted_f1",
        "roc_auc",
        "loss",
        "brier_score",
        "expected_calibration_error",
        "examples",
        "parameters",
    ]
    assert found["accuracy"] == 3 / 6
    assert (found["examples"], found["parameters"]) == (6, made_up.PARAMETERS)
    # right answers have p = 1/2, wrong ones left 1/4 to the truth
    assert found["loss"] == pytest.approx((3 * math.log(2) + 3 * math.log(4)) / 6)
    # F1 = 2 TP / (2 TP + FP + FN); cat 4/(4+1+1), dog 2/(2+2+1), owl 0/(0+0+1)
    assert found["macro_f1"] == pytest.approx((4 / 6 + 2 / 5 + 0) / 3)
    assert found["weighted_f1"] == pytest.approx((3 * 4 / 6 + 2 * 2 / 5 + 1 * 0) / 6)
    # recall of cat 2/3, dog 1/2, owl 0/1
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    # pairs of an example of the class and one of another, in the right order, half for equal ones:
    # cat p(own) 1/2 1/2 1/4 against 1/4 1/2 1/4, dog 1/2 1/4 against 1/4 1/4 1/2 1/2, owl all 1/4
    cat, dog, owl = (2 * (1 + 1 / 2 + 1) + (1 / 2 + 0 + 1 / 2)) / 9, (3 + 1) / 8, 1 / 2
    assert found["roc_auc"] == pytest.approx((cat + dog + owl) / 3)
    # right: (1/2)² + 2 (1/4)²; wrong: (1/2)² + (3/4)² + (1/4)²
    assert found["brier_score"] == pytest.approx((3 * 6 / 16 + 3 * 14 / 16) / 6)
    assert found["expected_calibration_error"] == 0  # confidence 1/2, right in 3 of 6


def test_summary_is_plain_numbers():
    found = summary_of(LABELS, PROBABILITIES)

    assert json.loads(json.dumps(found)) == found
    assert {type(value) for value in found.values()} == {float, int}


def test_summary_of_perfect_predictions():
    found = summary_of(LABELS, certain(LABELS))

    assert all(
        found[name] == 1
        for name in ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "roc_auc")
    )
    assert all(found[name] == 0 for name in ("loss", "brier_score", "expected_calibration_error"))
    assert found["accuracy_high"] == 1
    assert 0 < found["accuracy_low"] < 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("class_count", [2, 4, 12])
def test_summary_agrees_with_scikit_learn(class_count, seed):
    labels, probabilities = drawn(class_count=class_count, seed=seed)
    predicted = probabilities.argmax(axis=1)
    one_hot = np.eye(class_count)[labels]

    found = summary_of(labels, probabilities)

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
            share = metrics.top_k_accuracy_score(labels, probabilities, k=k)
            expected[f"top_{k}_accuracy"] = share
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    others = {"accuracy_low", "accuracy_high", "expected_calibration_error", "examples"}
    ends = {"balanced_accuracy_low", "balanced_accuracy_high"}  # where classes are unequal
    assert found.keys() - ends == {*expected, *others, "parameters"}


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
    found = summary_of(*drawn(class_count=class_count))

    assert [name for name in found if name.startswith("top_")] == names


@pytest.mark.parametrize(("k", "right"), [(1, 1), (2, 2), (3, 3), (4, 4)])
def test_top_k_by_hand(k, right):
    probabilities = np.tile([0.1, 0.4, 0.3, 0.2], (4, 1))  # from the most probable: 1, 2, 3, 0

    assert top_k.accuracy(made_up.evaluation([0, 1, 2, 3], probabilities), k) == right / 4


@pytest.mark.parametrize("k", [1, 2, 3])
def test_of_equal_probabilities_the_first_counts_as_greater(k):
    """As in argmax, so that top 1 is the accuracy and no top k is below it."""
    labels, probabilities = np.arange(6), np.full((6, 6), 1 / 6)

    assert top_k.accuracy(made_up.evaluation(labels, probabilities), k) == k / 6


@pytest.mark.parametrize("predicted", [1, 2], ids=["predicted right", "predicted as the absent"])
def test_a_class_without_test_examples_is_left_out_of_means_of_recall_and_roc(predicted):
    labels = np.array([0, 0, 1, 1])
    probabilities = certain([0, 0, 1, predicted])

    found = summary_of(labels, probabilities)

    right = int(predicted == 1)
    assert found["balanced_accuracy"] == (1 + (1 + right) / 2) / 2
    # cat: every pair in order. dog: 1 and p(dog) of the last against two of 0.
    assert found["roc_auc"] == (1 + (2 + 2 * (1 if right else 1 / 2)) / 4) / 2


@pytest.mark.parametrize(
    ("counts", "is_unequal"),
    [((4, 4), False), ((6, 4), False), ((7, 4), True), ((3, 0, 3), False), ((9, 0, 3), True)],
)
def test_balanced_accuracy_leads_where_classes_are_unequal(counts, is_unequal):
    labels = np.repeat(np.arange(len(counts)), counts)

    found = summary_of(labels, certain(labels, len(counts)))

    assert ("balanced_accuracy_low" in found) == ("balanced_accuracy_high" in found) == is_unequal
    assert metric.leading(found).name == ("balanced_accuracy" if is_unequal else "accuracy")


def test_intervals_hold_the_values_that_they_are_of():
    evaluation = made_up.evaluation(*drawn(class_count=12))
    known = {one.name: one for one in metric.known()}

    found = {name: one.interval(evaluation) for name, one in known.items()}

    with_interval = {name for name, interval in found.items() if interval}
    assert with_interval == {"accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "loss"} | {
        *("brier_score", "top_3_accuracy", "top_5_accuracy")
    }
    for name in with_interval:
        low, high = found[name]
        assert low < known[name].compute(evaluation) < high, name


def test_f1_has_no_interval_where_all_are_right():
    """The bootstrap's would be a point."""
    evaluation = made_up.evaluation(LABELS, certain(LABELS))

    assert metric.named("macro_f1").interval(evaluation) is None
    assert metric.named("balanced_accuracy").interval(evaluation)[0] < 1


@pytest.mark.parametrize("label", [0, 1])
def test_summary_of_a_single_example(label):
    """There is no ROC with one class alone; every other metric is defined."""
    found = summary_of(np.array([label]), np.array([[0.75, 0.25]], np.float32))

    assert "roc_auc" not in found
    right = int(label == 0)
    expected = {"accuracy": right, "balanced_accuracy": right, "weighted_f1": right, "examples": 1}
    assert {name: found[name] for name in expected} == expected
    assert found["macro_f1"] == right / 2
    assert found["brier_score"] == (2 / 16 if right else 2 * 9 / 16)
    assert found["expected_calibration_error"] == (0.25 if right else 0.75)


def test_summary_of_rows_that_add_up_to_one_in_float32_only():
    labels, probabilities = drawn(class_count=12)
    rounded = (probabilities * np.float32(1 + 3e-7)).astype(np.float32)
    rounded[0] = 0
    rounded[0, labels[0]] = np.nextafter(np.float32(1), np.float32(2))  # scikit-learn refuses it

    probabilities[0] = np.eye(12)[labels[0]]
    expected = summary_of(labels, probabilities)
    assert summary_of(labels, rounded) == pytest.approx(expected, abs=1e-5)


def test_macro_f1_is_over_the_classes_of_the_model():
    labels = np.array([0, 1])

    assert summary_of(labels, certain(labels, 2))["macro_f1"] == 1
    assert summary_of(labels, certain(labels, 4))["macro_f1"] == 2 / 4


@pytest.mark.parametrize("probability", [0.0, 1e-9, 1e-7])
def test_cross_entropy_of_a_certain_error_is_finite(probability):
    probabilities = np.array([[1 - probability, probability]])

    assert made_up.value("loss", np.array([1]), probabilities) == pytest.approx(7 * math.log(10))


def test_cross_entropy_does_not_lose_small_terms():
    """In float32 the sum would stop growing."""
    probabilities = np.tile(np.array([[0.999, 0.001]], np.float32), (200_000, 1))

    loss = made_up.value("loss", np.zeros(200_000, np.int32), probabilities)

    assert loss == pytest.approx(-math.log(np.float32(0.999)), rel=1e-12)


def test_macro_f1_is_the_mean_of_the_table():
    labels, probabilities = drawn()

    table = tables.per_class(labels, probabilities, tuple("abcd"))

    assert summary_of(labels, probabilities)["macro_f1"] == pytest.approx(table["f1"].mean())


def test_macro_roc_auc_is_the_mean_of_the_table():
    labels, probabilities = drawn()

    areas = tables.per_class(labels, probabilities, tuple("abcd"))["roc_auc"]

    assert summary_of(labels, probabilities)["roc_auc"] == pytest.approx(areas.mean())


def test_brier_score_by_hand():
    labels = np.array([0, 2])
    probabilities = np.array([[0.5, 0.25, 0.25], [0.5, 0.5, 0]], np.float32)

    # 1/4 + 1/16 + 1/16, and 1/4 + 1/4 + 1
    assert made_up.value("brier_score", labels, probabilities) == (0.375 + 1.5) / 2


def test_brier_score_of_ten_forecasts_by_hand():
    rain = np.array([0.7, 0.9, 0.8, 0.4, 0.2, 0, 0, 0, 0, 0.1])
    it_rained = np.array([0, 1, 1, 1, 0, 0, 0, 0, 0, 0])

    found = made_up.value("brier_score", it_rained, np.stack([1 - rain, rain], axis=1))

    # twice the mean of 0.49, 0.01, 0.04, 0.36, 0.04, four of 0, and 0.01
    assert found == pytest.approx(0.19)


@pytest.mark.parametrize(("label", "score"), [(0, 0), (1, 2)])
def test_brier_score_of_certainty(label, score):
    probabilities = np.array([[1, 0, 0]], np.float32)

    assert made_up.value("brier_score", np.array([label]), probabilities) == score


def test_brier_score_leaves_the_probabilities_alone():
    probabilities = np.array([[0.5, 0.4999]])

    made_up.value("brier_score", np.array([0]), probabilities)

    assert probabilities.tolist() == [[0.5, 0.4999]]


@pytest.mark.parametrize("seed", range(5))
def test_brier_score_of_two_classes_is_twice_scikit_learns_of_one(seed):
    labels, probabilities = drawn(class_count=2, seed=seed)

    expected = 2 * metrics.brier_score_loss(labels, probabilities[:, 1])
    assert made_up.value("brier_score", labels, probabilities) == pytest.approx(expected)


def test_expected_error_by_hand():
    # bins of 1/15: one with 0.9 and 0.92, one of them right, and one with 0.62, right
    labels, probabilities = np.array([0, 1, 0]), of_two([0.90, 0.92, 0.62])

    found = made_up.value("expected_calibration_error", labels, probabilities)

    assert found == pytest.approx((2 * abs(0.91 - 1 / 2) + 1 * abs(0.62 - 1)) / 3)


def test_errors_of_one_bin_make_up_for_each_other():
    """Three of four right at 0.75 is what 0.75 says."""
    assert (
        made_up.value("expected_calibration_error", np.array([0, 0, 1, 0]), of_two([0.75] * 4)) == 0
    )


def test_probabilities_that_are_true_have_a_small_error():
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(4), 20_000)
    labels = np.array([random.choice(4, p=row) for row in probabilities])

    assert made_up.value("expected_calibration_error", labels, probabilities) < 0.01
    assert (
        made_up.value("expected_calibration_error", labels, np.eye(4)[probabilities.argmax(axis=1)])
        > 0.4
    )


@pytest.mark.parametrize("class_count", [2, 4, 12])
@pytest.mark.parametrize("name", [one.name for one in metric.known() if one.can_be_gated])
def test_what_the_gate_resamples_is_the_metric(name, class_count):
    """Of counts, or of each example, and as it is computed at once."""
    tested = metric.named(name)
    labels, probabilities = drawn(class_count=class_count)
    labels %= max(class_count - 1, 2)  # of many classes the last has no examples
    evaluation = made_up.evaluation(labels, probabilities)
    found = evaluation.predictions
    right, predicted, true = (
        np.bincount(of, minlength=class_count).astype(np.float64)
        for of in (labels[found.right], found.predicted, labels)
    )

    match tested.compared:
        case ByCounts(of):
            value = of(right, predicted, true)
        case ByValues(of) | ByAnswers(of):
            value = of(found).mean()

    assert value == pytest.approx(tested.compute(evaluation), abs=1e-12, rel=0)


def test_names_are_told_apart_and_what_is_gated_has_a_direction():
    names = [one.name for one in metric.known()]

    assert len(set(names)) == len(names)
    assert all(one.better for one in metric.known() if one.compared)


def test_a_metric_of_another_version_is_called_by_its_name():
    found = metric.named("mean_rank")

    assert (found.title, found.kind, found.explanation) == ("Mean rank", "number", "")
    assert (found.has_column, found.can_have_floor, found.can_be_gated) == (False, False, False)


@pytest.mark.parametrize("value", [math.nan, "high", True, np.float32(np.inf)], ids=repr)
def test_a_metric_that_is_no_number_is_named(monkeypatch, value):
    one = dataclasses.replace(metric.named("accuracy"), compute=lambda _: value)
    monkeypatch.setattr(metric, "known", lambda: [one])
    message = "^metric accuracy: must be a finite number, or None where it does not apply, got "
    with pytest.raises(ExtensionError, match=message):
        summary_of([0, 1], certain([0, 1]))


def test_a_metric_of_numpys_numbers_is_pythons(monkeypatch):
    one = dataclasses.replace(metric.named("accuracy"), compute=lambda _: np.float32(0.5))
    monkeypatch.setattr(metric, "known", lambda: [one])
    assert json.dumps(summary_of([0, 1], certain([0, 1]))) == '{"accuracy": 0.5}'


def test_two_metrics_of_one_name_are_refused(monkeypatch):
    """As where a module was copied and its name not changed."""
    names, load = registry.names, registry.load
    monkeypatch.setattr(registry, "names", lambda package: [*names(package), "mine"])
    monkeypatch.setattr(
        registry,
        "load",
        lambda package, name, *_: load(package, "accuracy" if name == "mine" else name),
    )
    message = (
        r"metrics/mine\.py: a metric must have a name of its own, got accuracy, which accuracy"
    )
    with pytest.raises(ExtensionError, match=message):
        metric.known()
