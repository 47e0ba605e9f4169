"""How often the gate cries at nothing, and how often it finds a loss; docs/gate.md has more."""

from pathlib import Path

import numpy as np
import pytest

from bench import gate as bench
from imago import params
from imago.core import paths

SETTINGS = params.load(Path(__file__).parents[1] / paths.PARAMS)
GATE = SETTINGS.gate.model_copy(update={"bootstrap_samples": 1000})


def share_of_regressions(pairs, accuracy, discordance, loss):
    generator = np.random.default_rng(7)
    found = [
        bench.regressions([bench.draw(generator, accuracy, discordance, loss)], GATE)[0]
        for _ in range(pairs)
    ]
    return np.mean(found)


@pytest.mark.slow
def test_models_of_equal_quality_pass():
    assert share_of_regressions(200, 0.88, 0.03, 0.0) <= 0.05


@pytest.mark.slow
def test_a_loss_of_one_point_is_found():
    assert share_of_regressions(50, 0.88, 0.03, 0.01) >= 0.9
