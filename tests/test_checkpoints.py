import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import imago
from imago.training import checkpoints
from imago.training.checkpoints import FileCheckpoint
from imago.training.loop import State
from tests import faults

pytestmark = pytest.mark.fault


TIMES = faults.times(200, 20_000)


def build(units: int = 2) -> keras.Model:
    layers = [keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dropout(0.5, seed=1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    return model


def numbers(model: keras.Model) -> list[np.ndarray]:
    return [np.array(v.numpy()) for v in [*model.variables, *model.optimizer.variables]]


def test_gives_back_variables_history_and_best_weights(tmp_path):
    saved, fresh = build(), build()
    for step, variable in enumerate([*saved.variables, *saved.optimizer.variables]):
        variable.assign(np.full(variable.shape, step + 1))
    state = State([{"loss": 0.1 + 0.2}], [np.arange(6.0).reshape(3, 2), np.zeros(2)])

    FileCheckpoint(tmp_path).save(saved, state)
    restored = FileCheckpoint(tmp_path).restore(fresh)

    assert restored.history == state.history
    for found, wanted in zip(restored.best_weights, state.best_weights, strict=True):
        np.testing.assert_array_equal(found, wanted)
    for found, wanted in zip(numbers(fresh), numbers(saved), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_without_a_file_the_model_is_left_as_it_is(tmp_path):
    model = build()
    before = numbers(model)
    assert FileCheckpoint(tmp_path).restore(model) == State()
    for found, wanted in zip(numbers(model), before, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 torn off", bytes(32)])
def test_a_damaged_file_is_deleted_with_a_warning(tmp_path, content, caplog):
    folder = tmp_path / "key"
    folder.mkdir()
    (folder / "state.npz").write_bytes(content)
    assert FileCheckpoint(folder).restore(build()) == State()
    assert "the training starts anew" in caplog.text
    assert not folder.exists()


def test_any_damage_is_found(tmp_path, caplog):
    checkpoint = FileCheckpoint(tmp_path / "key")
    checkpoint.save(build(), State([{"loss": 1.0}], [np.zeros(2)]))
    whole = checkpoint.path.read_bytes()
    model, draw = build(), np.random.default_rng(5)
    for _ in range(TIMES):
        damaged = bytearray(whole[: draw.integers(1, len(whole) + 1)])
        damaged[draw.integers(len(damaged))] ^= draw.integers(1, 256)
        checkpoint.path.parent.mkdir(exist_ok=True)
        checkpoint.path.write_bytes(damaged)
        assert checkpoint.restore(model) == State()
    assert caplog.messages == [
        f"{checkpoint.path}: cannot be used (it is damaged); the training starts anew"
    ] * len(caplog.messages)
    assert len(caplog.messages) == TIMES


def test_the_state_of_another_model_is_not_taken(tmp_path, caplog):
    FileCheckpoint(tmp_path / "key").save(build(units=2), State([{"loss": 1.0}]))
    other = build(units=5)
    before = numbers(other)
    assert FileCheckpoint(tmp_path / "key").restore(other) == State()
    assert "that of another model" in caplog.text
    for found, wanted in zip(numbers(other), before, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_remove_ends_it(tmp_path):
    checkpoint = FileCheckpoint(tmp_path)
    checkpoint.save(build(), State([{"loss": 1.0}]))
    checkpoint.remove()
    checkpoint.remove()
    assert checkpoint.restore(build()) == State()


def test_key_tells_trainings_apart():
    first = checkpoints.key({"epochs": 2}, 20, "digest")
    assert first == checkpoints.key({"epochs": 2}, 20, "digest")
    assert len({first, checkpoints.key({"epochs": 3}, 20, "digest")}) == 2
    assert len({first, checkpoints.key({"epochs": 2}, 21, "digest")}) == 2
    assert len({first, checkpoints.key({"epochs": 2}, 20, "other")}) == 2


def test_key_depends_on_the_code_that_was_imported(tmp_path, monkeypatch):
    """On that of this repository."""
    monkeypatch.setattr(checkpoints, "_code", checkpoints._code.__wrapped__)  # not kept
    (tmp_path / "imago").mkdir()
    (tmp_path / "imago/__init__.py").touch()
    monkeypatch.setattr(imago, "__file__", str(tmp_path / "imago/__init__.py"))
    changes = {}
    for name in ("imago/imported.py", "stages/imported.py", "imago/other.py", "keras/imported.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        if path.stem == "imported":
            monkeypatch.setitem(sys.modules, name, SimpleNamespace(__file__=str(path)))
        before = checkpoints.key()
        path.write_text("# changed")
        changes[name] = checkpoints.key() != before
    assert changes == {
        "imago/imported.py": True,
        "stages/imported.py": True,
        "imago/other.py": False,
        "keras/imported.py": False,
    }
