import numpy as np
import pytest
from sklearn import metrics

from imago.gate import bootstrap
from imago.gate.bootstrap import Changes
from imago.scoring.metrics import accuracy, f1

GENERATOR = np.random.default_rng(5)
LABELS = GENERATOR.integers(3, size=400)
FIRST = np.where(GENERATOR.random(400) < 0.8, LABELS, GENERATOR.integers(3, size=400))
SECOND = np.where(GENERATOR.random(400) < 0.9, FIRST, GENERATOR.integers(3, size=400))


def of_counts(metric, first=FIRST, second=SECOND, class_count=3, samples=4000):
    generator = np.random.default_rng(1)
    return bootstrap.of_counts(metric, LABELS, first, second, class_count, samples, generator)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (f1.macro_of_counts, lambda y, p: metrics.f1_score(y, p, average="macro")),
        (f1.weighted_of_counts, lambda y, p: metrics.f1_score(y, p, average="weighted")),
        (accuracy.balanced_accuracy_of_counts, metrics.balanced_accuracy_score),
    ],
)
def test_values_are_those_of_scikit_learn(metric, expected):
    found = of_counts(metric)

    assert found.first == pytest.approx(expected(LABELS, FIRST))
    assert found.second == pytest.approx(expected(LABELS, SECOND))


def test_a_class_that_nobody_has_counts_as_in_scikit_learn():
    expected = metrics.f1_score(LABELS, FIRST, labels=range(4), average="macro", zero_division=0)

    assert of_counts(f1.macro_of_counts, class_count=4).first == pytest.approx(expected)


def test_samples_of_counts_are_those_of_examples():
    """Drawing the numbers of each kind is drawing examples: the spread is the same."""
    rows = np.random.default_rng(2).integers(400, size=(300, 400))
    one_by_one = [
        metrics.f1_score(LABELS[row], SECOND[row], average="macro")
        - metrics.f1_score(LABELS[row], FIRST[row], average="macro")
        for row in rows
    ]

    samples = of_counts(f1.macro_of_counts).samples

    assert samples.std() == pytest.approx(np.std(one_by_one), rel=0.15)
    assert samples.mean() == pytest.approx(np.mean(one_by_one), abs=0.004)


def test_equal_predictions_are_no_change():
    found = of_counts(f1.macro_of_counts, FIRST, FIRST)

    assert (found.change, found.loss(), found.gain()) == (0, 1, 1)


def test_the_same_state_gives_the_same_samples():
    first, second = of_counts(f1.macro_of_counts), of_counts(f1.macro_of_counts)

    assert np.array_equal(first.samples, second.samples)


def test_means():
    first, second = GENERATOR.normal(0, 1, 500), GENERATOR.normal(0.1, 1, 500)

    found = bootstrap.of_means(first, second, 5000, np.random.default_rng(1))

    assert len(found.samples) == 5000
    assert found.change == pytest.approx(second.mean() - first.mean())
    assert found.samples.std() == pytest.approx((second - first).std() / np.sqrt(500), rel=0.05)


def test_p_values_by_hand():
    """Distances -0.03, -0.01, 0.01, 0.03 from the change -0.02; one more for the data."""
    found = Changes(0.5, 0.48, np.array([-0.05, -0.03, -0.01, 0.01]))

    assert found.loss() == pytest.approx((1 + 1) / 5)
    assert found.loss(margin=0.012) == pytest.approx((1 + 2) / 5)
    assert found.gain() == pytest.approx((1 + 3) / 5)
    assert found.negative().gain() == pytest.approx((1 + 1) / 5)


def test_few_lost_examples_are_no_surer_than_in_the_exact_test():
    """Five lost and none gained: McNemar has 1/32; samples about the change have five or more."""
    first = np.ones(400)
    second = np.concatenate([np.zeros(5), np.ones(395)])

    found = bootstrap.of_means(first, second, 20_000, np.random.default_rng(1))

    assert found.loss() == pytest.approx(1 / 32, abs=0.005)
