import subprocess
import sys

import keras
import numpy as np
import pytest

from imago import exports, inference

FORMATS = sorted(exports.FILE_NAMES)
WRITE = """
import sys, pathlib, keras
from imago import exports
model = keras.saving.load_model(sys.argv[1])
for name, file_name in exports.FILE_NAMES.items():
    exports.write(model, name, pathlib.Path(sys.argv[2], file_name))
"""


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(2)
    pixels = keras.Input((6, 5, 3), dtype="uint8", name="pixels")
    layers = keras.layers.Rescaling(1 / 255, name="rescale")(pixels)
    layers = keras.layers.Conv2D(4, 3, activation="relu", name="convolution")(layers)
    layers = keras.layers.BatchNormalization(name="norm")(layers)
    layers = keras.layers.Flatten(name="flatten")(keras.layers.Dropout(0.5, name="drop")(layers))
    head = keras.layers.Dense(4, activation="softmax", name="probabilities")
    return keras.Model(pixels, head(layers), name="m")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (11, 6, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_raw_pixels_and_gives_keras_probabilities(name, model, images, tmp_path):
    path = tmp_path / exports.FILE_NAMES[name]
    exports.write(model, name, path)
    found = np.concatenate(list(inference.in_batches(exports.read(name, path), images, 4)))
    assert (found.shape, found.dtype) == ((11, 4), np.float32)
    np.testing.assert_allclose(found, model.predict(images, verbose=0), atol=1e-5)


def test_two_processes_write_equal_bytes(model, tmp_path):
    model.save(tmp_path / "model.keras")
    contents = []
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        arguments = [
            sys.executable,
            "-c",
            WRITE,
            str(tmp_path / "model.keras"),
            str(tmp_path / run),
        ]
        subprocess.run(arguments, check=True, stderr=subprocess.PIPE)
        paths = sorted(path for path in (tmp_path / run).rglob("*") if path.is_file())
        contents.append({str(p.relative_to(tmp_path / run)): p.read_bytes() for p in paths})
    assert contents[0] == contents[1]
    assert {"model.tflite", "saved_model/saved_model.pb"} <= contents[0].keys()


def test_agreement():
    expected = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
    found = np.array([[0.75, 0.25], [0.375, 0.625], [0.25, 0.75]])
    assert exports.agreement(expected, found) == {
        "examples": 3,
        "greatest_difference": 0.125,
        "same_class": pytest.approx(2 / 3),
    }
