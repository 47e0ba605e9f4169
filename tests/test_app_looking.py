from pathlib import Path

import numpy as np
import pytest

from app import looking
from imago.core.errors import ModelError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import keras

    from imago.runtimes import saving

    monkeypatch.chdir(tmp_path)
    pixels = keras.Input((8, 8, 3), dtype="uint8")
    maps = keras.layers.Conv2D(2, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(pixels))
    seen = keras.layers.GlobalAveragePooling2D()(maps)
    whole = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    for name, inner in {"cnn": seen, "mlp": whole}.items():
        model = keras.Model(pixels, keras.layers.Dense(2, activation="softmax")(inner), name=name)
        saving.write(tmp_path / "models" / name, model, ("a", "b"))
    return tmp_path


def test_a_convolutional_model_is_loaded_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.full((3, 8, 8, 3), 99, np.uint8)
    found = looking.load("cnn")(pixels)
    assert (found.shape, found.dtype) == ((3, 8, 8, 3), np.uint8)
    monkeypatch.setattr("imago.runtimes.saving.read", None)
    assert np.array_equal(looking.load("cnn")(pixels), found)


def test_another_model(project: Path) -> None:
    with pytest.raises(ModelError, match="convolutional"):
        looking.load("mlp")
    with pytest.raises(FileNotFoundError):
        looking.load("none")
