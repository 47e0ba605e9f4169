"""The metric `leading` of the gate: accuracy, or balanced accuracy where classes are unequal."""

import numpy as np
import pytest

from imago import params
from imago.gate import changes
from tests import made_up

SETTINGS = {"share": 1.0, "margin": 0.0}
GATE = {"significance_level": 0.05, "bootstrap_samples": 1000}


def gate(metric):
    return params.Gate.model_validate(GATE | {"metrics": {metric: SETTINGS}})


def of_counts(*counts, wrong=0):
    """Predictions of two classes, of which the last examples are named wrong."""
    labels = np.repeat(np.arange(len(counts)), counts)
    predicted = labels.copy()
    if wrong:
        predicted[-wrong:] = 0
    return made_up.predictions(labels, np.eye(len(counts), dtype=np.float32)[predicted])


@pytest.mark.parametrize(
    ("counts", "metric"), [((30, 30), "accuracy"), ((90, 10), "balanced_accuracy")]
)
def test_it_is_compared_as_the_metric_that_leads(counts, metric):
    before, after = of_counts(*counts), of_counts(*counts, wrong=8)

    (found,) = changes.measure(before, after, gate("leading"), 7, "pets")

    assert found == changes.measure(before, after, gate(metric), 7, "pets")[0]
    assert found.metric == metric
    assert found.here == pytest.approx(1 - 8 / 10 / 2 if metric != "accuracy" else 1 - 8 / 60)


@pytest.mark.parametrize("is_unequal", [False, True])
def test_of_equal_predictions_it_is_that_of_the_metrics(is_unequal):
    metrics = {"accuracy": 0.9, "balanced_accuracy": 0.8, "examples": 100}
    metrics |= {"balanced_accuracy_low": 0.7} if is_unequal else {}

    (found,) = changes.unchanged(metrics, gate("leading"))

    name = "balanced_accuracy" if is_unequal else "accuracy"
    assert (found.metric, found.here, found.is_open) == (name, metrics[name], False)
