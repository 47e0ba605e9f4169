"""The section gate and the floors in params.yaml."""

import pytest
from params_text import TEXT

from imago import params
from imago.core.errors import ParamsError

GATE = """
gate:
  significance_level: 0.05
  bootstrap_samples: 2000
  metrics:
    accuracy: {share: 0.6, margin: 0.0}
    loss: {share: 0.4, margin: 0.02}
"""
EXPORT = "    export: "
FLOORED = TEXT.replace(EXPORT, "    floors: {accuracy: 0.9}\n    export: ", 1)


def test_settings():
    found = params.parse(FLOORED + GATE)

    assert found.gate.metrics["loss"].margin == 0.02
    assert found.experiments["tiny"].floors == {"accuracy": 0.9}


def test_both_may_be_left_out():
    found = params.parse(TEXT)

    assert found.gate is None
    assert found.experiments["tiny"].floors is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("share: 0.4", "share: 0.5", "gate: the shares of the metrics must add up to 1, got 1.1"),
        ("share: 0.4", "share: 0", "gate.metrics.loss.share must be greater than 0, got 0"),
        ("loss: {", "lost: {", "gate.metrics.lost must be 'accuracy', 'balanced_accuracy'"),
        ("0.05", "0.5", "gate.significance_level must be less than 0.5, got 0.5"),
        ("2000", "20", "gate.bootstrap_samples must be greater than or equal to 1000, got 20"),
        ("margin: 0.02", "margin: -0.1", "gate.metrics.loss.margin must be greater than or equal"),
        ("accuracy: 0.9", "loss: 0.9", "experiments.tiny.floors.loss must be 'accuracy'"),
        ("accuracy: 0.9", "accuracy: 90", "experiments.tiny.floors.accuracy must be less than or"),
    ],
)
def test_faults(old, new, message):
    with pytest.raises(ParamsError, match=f"params.yaml: {message}"):
        params.parse((FLOORED + GATE).replace(old, new, 1))
