"""The code that a report shows is run as it stands."""

import shutil
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from imago.reports import snippets
from imago.runtimes import model_json, saving
from tests import outside

CLASSES = ("cat", "dog", "owl")
SIDE_PX = 6


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of models of 6×6 pixels, by the number of channels."""
    folder = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(3)
    for channels in (1, 3):
        pixels = keras.Input((SIDE_PX, SIDE_PX, channels), dtype="uint8", name="pixels")
        scaled = keras.layers.Rescaling(1 / 255, name="scale")(pixels)
        flat = keras.layers.Flatten(name="flat")(scaled)
        probabilities = keras.layers.Dense(3, activation="softmax", name="probabilities")(flat)
        saving.write(folder / str(channels), keras.Model(pixels, probabilities), CLASSES)
    return folder


def write(folder, models, fit, interpolation, channels):
    """Write a model and its exports, and give what its card says."""
    shape = (SIDE_PX, SIDE_PX, channels)
    shutil.copytree(models / str(channels), folder / "models/tiny")
    export = folder / "exports/tiny"
    export.mkdir(parents=True)
    shutil.copy(folder / "models/tiny/model.tflite", export)
    taken = {
        "name": "pixels",
        "shape": [None, *shape],
        "dtype": "uint8",
        "range": [0, 255],
        "color": "rgb" if channels == 3 else "grayscale",
        "fit": fit,
        "interpolation": interpolation,
        "framing": None,
    }
    digest = model_json.digest(export / "model.tflite")
    described = model_json.ExportDescription(
        experiment="tiny",
        classes=CLASSES,
        input=taken,
        output={"name": "probabilities", "shape": [None, 3], "dtype": "float32"},
        formats={"litert": {"file": "model.tflite", "sha256": digest}},
    )
    model_json.write(export, described)
    return {
        "experiment": "tiny",
        "data": {"image_shape": list(shape)},
        "input": taken,
        "exports": described.formats,
    }


def photo(height, width, **saved):
    """Write a photo, as smooth as photos are, and turned or with a clear corner if wanted."""
    coarse = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    if saved.pop("clear", False):
        pixels = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
        pixels[: height // 2, : width // 2, 3] = 0
    if turned := saved.pop("turned", None):
        saved["exif"] = Image.Exif()
        saved["exif"][0x0112] = turned
    Image.fromarray(pixels).save("photo.png", **saved)


def answers(card, capsys):
    """Run the code for each way, and give the label and the probability that it prints."""
    found = {}
    for name, code in snippets.of(card).items():
        exec(compile(code, name, "exec"), {})
        label, probability = capsys.readouterr().out.split()[-2:]
        found[name] = label, float(probability)
    return found


@pytest.mark.parametrize(
    ("fit", "interpolation", "channels", "picture"),
    [
        ("stretch", "area", 3, {"height": 40, "width": 33}),
        ("stretch", "area", 3, {"height": 31, "width": 40, "turned": 6}),
        ("stretch", "area", 3, {"height": 40, "width": 33, "clear": True}),
        ("stretch", "area", 3, {"height": 4, "width": 5}),
        ("stretch", "area", 1, {"height": 40, "width": 33}),
        ("stretch", "linear", 3, {"height": 40, "width": 33}),
        ("crop", "area", 3, {"height": 40, "width": 93}),
        ("crop", "area", 3, {"height": 90, "width": 31}),
        ("pad", "area", 3, {"height": 40, "width": 120}),
        ("pad", "area", 3, {"height": 90, "width": 30}),
    ],
    ids=str,
)
def test_all_give_the_same_answer(
    tmp_path, monkeypatch, capsys, models, fit, interpolation, channels, picture
):
    monkeypatch.chdir(tmp_path)
    card = write(tmp_path, models, fit, interpolation, channels)
    photo(**picture)
    found = answers(card, capsys)

    assert list(found) == ["imago", "Keras", "LiteRT"]
    assert len({label for label, _ in found.values()}) == 1
    assert found["Keras"][0] in CLASSES
    probabilities = [probability for _, probability in found.values()]
    assert probabilities == pytest.approx([probabilities[0]] * 3, abs=0.01)


SIMPLER = [("wide and low", "stretch")]  # which imago makes lower and wider one after the other


@pytest.mark.parametrize(("name", "fit"), [one for one in outside.CASES if one not in SIMPLER])
def test_pixels_are_those_of_imago(tmp_path, monkeypatch, name, fit):
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(outside.PHOTOS[name])
    side = outside.SIDE_PX
    card = {
        "experiment": "any",
        "data": {"image_shape": [side, side, 3]},
        "input": {"fit": fit, "interpolation": "area"},
        "exports": {},
    }
    code, _, _ = snippets.of(card)["Keras"].partition("classes = ")
    names = {}
    exec(code, names)
    outside.check(names["pixels"][0].astype(int), name, fit)


def test_grey_images_and_no_litert():
    card = {
        "experiment": "digits",
        "data": {"image_shape": [28, 28, 1]},
        "input": {"fit": "stretch", "interpolation": "area"},
        "exports": {},
    }
    found = snippets.of(card)
    assert list(found) == ["imago", "Keras"]
    assert '.convert("L")' in found["Keras"]
    assert "reshape(1, 28, 28, 1)" in found["Keras"]
