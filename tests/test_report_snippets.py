"""The code that a report shows is run as it stands."""

import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from imago.reports import snippets
from imago.runtimes import model_json, saving

CLASSES = ("cat", "dog", "owl")


@pytest.fixture
def card(tmp_path, monkeypatch):
    """A model of 4×6 pixels on disk, its exports, and a photo of just this size."""
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(3)
    pixels = keras.Input((4, 6, 3), dtype="uint8", name="pixels")
    flat = keras.layers.Flatten(name="flat")(keras.layers.Rescaling(1 / 255, name="scale")(pixels))
    probabilities = keras.layers.Dense(3, activation="softmax", name="probabilities")(flat)
    saving.write(tmp_path / "models/tiny", keras.Model(pixels, probabilities), CLASSES)
    export = tmp_path / "exports/tiny"
    export.mkdir(parents=True)
    shutil.copy(tmp_path / "models/tiny/model.tflite", export)
    described = {
        "experiment": "tiny",
        "classes": CLASSES,
        "input": {
            "name": "pixels",
            "shape": [None, 4, 6, 3],
            "dtype": "uint8",
            "range": [0, 255],
            "color": "rgb",
            "fit": "stretch",
            "interpolation": "area",
            "framing": None,
        },
        "output": {"name": "probabilities", "shape": [None, 3], "dtype": "float32"},
        "formats": {
            "litert": {
                "file": "model.tflite",
                "sha256": model_json.digest(export / "model.tflite"),
            }
        },
    }
    model_json.write(export, model_json.ExportDescription(**described))
    noise = np.random.default_rng(1).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    Image.fromarray(noise).save("photo.png")
    return {
        "experiment": "tiny",
        "data": {"image_shape": [4, 6, 3]},
        "exports": described["formats"],
    }


def test_all_give_the_same_answer(card, capsys):
    answers = {}
    for name, code in snippets.of(card).items():
        exec(compile(code, name, "exec"), {})
        label, probability = capsys.readouterr().out.split()[-2:]
        answers[name] = label, float(probability)

    assert list(answers) == ["imago", "Keras", "LiteRT"]
    assert len({label for label, _ in answers.values()}) == 1
    assert answers["Keras"][0] in CLASSES
    probabilities = [probability for _, probability in answers.values()]
    assert probabilities == pytest.approx([probabilities[0]] * 3, abs=1e-5)


def test_grey_images_and_no_litert():
    card = {
        "experiment": "digits",
        "data": {"image_shape": [28, 28, 1]},
        "exports": {},
    }
    found = snippets.of(card)
    assert list(found) == ["imago", "Keras"]
    assert 'convert("L").resize((28, 28))' in found["Keras"]
    assert "reshape(1, 28, 28, 1)" in found["Keras"]
