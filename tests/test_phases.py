import dataclasses

import numpy as np
import pytest

from imago.core import sections
from imago.core.errors import DataError
from imago.data import writing
from imago.models import transfer
from imago.runtimes import determinism
from imago.training import phases

CLASSES = ("cat", "dog")
FEATURES = np.random.default_rng(6).normal(size=(20, 4)).astype(np.float32)
LABELS = (FEATURES[:, 0] > 0).astype(np.int32)
OPTIMIZATION = {
    "optimizer": "adam",
    "learning_rate": 0.1,
    "epochs": 3,
    "batch_size": 8,
    "jit_compile": False,
}
STOPPING = sections.EarlyStopping(monitor="validation_loss", patience_epochs=1)


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IMAGO_TENSORBOARD", raising=False)


def write(folder, features=FEATURES, validation=True):
    with writing.splits(folder, CLASSES, (4,)) as writer:
        writer.add("train", LABELS[:14], [features[:14]])
        if validation:
            writer.add("validation", LABELS[14:], [features[14:]])
    return folder


@pytest.fixture
def phase(tmp_path):
    training = transfer.Settings(model="transfer", hidden_units=[], dropout=0.0, **OPTIMIZATION)
    return phases.Phase(
        experiment="pets",
        seed=20,
        training=training,
        fitted_by=training,
        folder=write(tmp_path / "first"),
        augment=None,
    )


@pytest.fixture
def second(phase, tmp_path):
    """A phase that goes on from the other one, on data of its own."""
    fitted_by = sections.FineTune(layers=1, **OPTIMIZATION)
    folder = write(tmp_path / "second", features=-FEATURES)
    return dataclasses.replace(phase, fitted_by=fitted_by, folder=folder, after=phase)


def model():
    determinism.enable(20)
    training = transfer.Settings(model="transfer", hidden_units=[], dropout=0.0, **OPTIMIZATION)
    return transfer.build(training, (4,), 2, None)


def with_keys(phase, **keys):
    """The phase with other keys in its `train` section."""
    training = phase.training.model_copy(update=keys)
    return dataclasses.replace(phase, training=training, fitted_by=training)


def test_key_is_that_of_equal_phases(phase, tmp_path):
    again = with_keys(phase)

    assert again.key == phase.key
    assert dataclasses.replace(again, folder=write(tmp_path / "again")).key == phase.key


def test_key_depends_on_settings_seed_and_data(phase, second, tmp_path):
    others = [
        with_keys(phase, learning_rate=0.2),
        dataclasses.replace(phase, seed=21),
        dataclasses.replace(phase, folder=write(tmp_path / "other", features=2 * FEATURES)),
        second,
    ]

    assert len({phase.key, *(other.key for other in others)}) == 5


def test_key_depends_on_the_phase_before(phase, second, tmp_path):
    other = dataclasses.replace(phase, folder=write(tmp_path / "other", features=2 * FEATURES))

    assert dataclasses.replace(second, after=other).key != second.key


def test_run_fits_the_model_and_scores_each_epoch(phase):
    head = model()

    history = phases.run(head, phase)

    assert [logs["learning_rate"] for logs in history] == pytest.approx([0.1] * 3)
    assert history[-1]["loss"] < history[0]["loss"]
    head.compile(loss="sparse_categorical_crossentropy")
    found = head.evaluate(FEATURES[14:], LABELS[14:], verbose=0)
    assert history[-1]["val_loss"] == pytest.approx(found, rel=1e-5)


def test_run_without_validation_images(phase, tmp_path):
    alone = dataclasses.replace(phase, folder=write(tmp_path / "alone", validation=False))

    history = phases.run(model(), alone)

    assert [sorted(logs) for logs in history] == [["accuracy", "learning_rate", "loss"]] * 3


def test_early_stopping_keeps_the_best_weights(phase):
    """At this rate the loss soon overshoots."""
    hasty = with_keys(phase, early_stopping=STOPPING, epochs=60, learning_rate=3.0)
    head = model()

    history = phases.run(head, hasty)

    losses = [logs["val_loss"] for logs in history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 2 < 60
    head.compile(loss="sparse_categorical_crossentropy")
    found = head.evaluate(FEATURES[14:], LABELS[14:], verbose=0)
    assert found == pytest.approx(losses[best], rel=1e-5)


def test_early_stopping_needs_validation_images(phase, tmp_path):
    stopping = with_keys(phase, early_stopping=STOPPING)
    alone = dataclasses.replace(stopping, folder=write(tmp_path / "alone", validation=False))

    message = "alone: must have validation images for early_stopping, got none"
    with pytest.raises(DataError, match=message):
        phases.run(model(), alone)


def test_a_finished_phase_is_not_run_again(phase, caplog):
    first, again = model(), model()
    history = phases.run(first, phase)

    with caplog.at_level("INFO", "imago"):
        assert phases.run(again, phase) == history

    said = [record.getMessage() for record in caplog.records if record.name.startswith("imago")]
    assert said == ["goes on after epoch 3, which an earlier run finished"]
    for found, expected in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_phases_are_forgotten_when_all_is_done(phase, second, tmp_path):
    head = model()
    phases.run(head, phase)
    phases.run(head, second)
    folder = tmp_path / ".imago/training/pets"
    assert sorted(path.name for path in folder.iterdir()) == sorted([phase.key, second.key])

    phases.forget([phase, second])

    assert list(folder.iterdir()) == []


def test_each_phase_has_its_own_optimizer(phase, second):
    head = model()
    phases.run(head, phase)
    first = head.optimizer

    phases.run(head, second)

    assert head.optimizer is not first
    assert int(head.optimizer.iterations) == 3 * 2
