import keras
import numpy as np
import pytest

from imago.models.mlp import Settings
from imago.training import optimizers


@pytest.fixture
def build(training):
    def build(**changes) -> keras.optimizers.Optimizer:
        return optimizers.build(Settings.model_validate(training | changes), steps_per_epoch=5)

    return build


def rates(optimizer, steps) -> list[float]:
    schedule = optimizer._learning_rate
    return [float(np.asarray(schedule(step))) for step in steps]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd", keras.optimizers.SGD),
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("rmsprop", keras.optimizers.RMSprop),
    ],
)
def test_names(build, name, kind):
    optimizer = build(optimizer=name, weight_decay=0.01)
    assert type(optimizer) is kind
    assert float(optimizer.learning_rate.numpy()) == 0.5


def test_options_reach_keras(build):
    config = build(momentum=0.9, weight_decay=0.01).get_config()
    assert (config["momentum"], config["weight_decay"]) == (0.9, 0.01)
    assert build().get_config()["momentum"] == 0.0


def test_cosine_falls_to_its_final_fraction_at_the_last_step(build):
    schedule = {"kind": "cosine", "warmup_epochs": 0, "final_fraction": 0.1}
    found = rates(build(learning_rate_schedule=schedule), [0, 25, 50])
    assert found == pytest.approx([0.5, 0.5 * 0.55, 0.05])


def test_cosine_climbs_first_where_asked(build):
    schedule = {"kind": "cosine", "warmup_epochs": 2, "final_fraction": 0.0}
    found = rates(build(learning_rate_schedule=schedule), [0, 5, 10, 30, 50])
    assert found == pytest.approx([0.0, 0.25, 0.5, 0.25, 0.0], abs=1e-6)


def test_exponential_multiplies_by_its_factor(build):
    schedule = {"kind": "exponential", "factor": 0.5, "every_epochs": 2}
    found = rates(build(learning_rate_schedule=schedule), [0, 10, 20])
    assert found == pytest.approx([0.5, 0.25, 0.125])
