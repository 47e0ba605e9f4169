"""The code that a report shows is run as it stands."""

import shutil
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from imago import Predictor
from imago.core import files
from imago.exports import source
from imago.exports.formats import litert
from imago.images.forms import Form, convert
from imago.photos import decoding
from imago.reports import snippets
from imago.runtimes import model_json, saving
from tests import color_export, outside

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


def pixels_of(card):
    """Run the code as far as pixels."""
    code, _, _ = snippets.of(card)["Keras"].partition("classes = ")
    names = {}
    exec(code, names)
    return names["pixels"][0]


def card_of(shape, fit="stretch", interpolation="area", **more):
    taken = {"fit": fit, "interpolation": interpolation, "framing": more.pop("framing", None)}
    return {
        "experiment": "any",
        "data": {"image_shape": list(shape)},
        "input": taken,
        "exports": {},
        **more,
    }


@pytest.mark.parametrize(("name", "fit"), outside.CASES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("interpolation", snippets.SHRINKING)
def test_pixels_are_those_of_imago(tmp_path, monkeypatch, name, fit, channels, interpolation):
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(outside.PHOTOS[name])
    shape = (outside.SIDE_PX, outside.SIDE_PX, channels)
    expected = convert(
        decoding.decode(outside.PHOTOS[name], 100_000), Form(shape, fit, interpolation)
    )
    found = pixels_of(card_of(shape, fit, interpolation))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_of_grey_are_scaled(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    gray = np.random.default_rng(1).integers(0, 65_536, (40, 30), dtype=np.uint16)
    Image.fromarray(gray).save("photo.png", kind)
    expected = convert(
        decoding.decode(Path("photo.png").read_bytes(), 100_000), Form((8, 8, 3), "crop", "area")
    )
    np.testing.assert_array_equal(pixels_of(card_of((8, 8, 3), "crop")), expected)


@pytest.mark.parametrize("ground", ["dark", "light"])
@pytest.mark.parametrize("photo_is", ["dark", "light"])
def test_a_ground_that_is_not_that_of_the_training_images(tmp_path, monkeypatch, ground, photo_is):
    monkeypatch.chdir(tmp_path)
    framing = {"ground": ground, "longest_side": 0.5, "center": "box", "at": [0.5, 0.5]}
    export = color_export.write(tmp_path / "one", 8, 1, framing=framing, color="grayscale")
    photo = np.full((8, 8), 10 if photo_is == "dark" else 245, np.uint8)
    photo[2:6, 3:5] = 128
    Image.fromarray(photo).save("photo.png")
    found = pixels_of(card_of((8, 8, 1), framing=framing))
    np.testing.assert_array_equal(found, Predictor(export).pixels("photo.png"))
    assert np.median(found) == (10 if ground == "dark" else 245)


@pytest.fixture(scope="module")
def with_distance(tmp_path_factory):
    """A model that gives a probability of 0.75, and for distance the mean of the pixels."""
    pixels = keras.Input((SIDE_PX, SIDE_PX, 3), dtype="uint8", name="pixels")
    mean = keras.ops.mean(keras.ops.cast(pixels, "float32"), axis=(1, 2, 3))
    first = mean[:, None] * 0 + 0.75
    model = keras.Model(pixels, [keras.ops.concatenate([1 - first, first], axis=1), mean])
    path = tmp_path_factory.mktemp("far") / "model.tflite"
    litert.write(source.Source(model, None, np.empty(0)), path)
    return path


@pytest.mark.parametrize(
    ("gray", "probability", "distance", "said"),
    [
        (20, None, 30.0, "dog"),
        (40, None, 30.0, "unsure"),
        (30, None, 30.0, "dog"),
        (40, 0.5, None, "dog"),
        (40, 0.8, None, "unsure"),
        (20, 0.8, 30.0, "unsure"),
        (20, 0.75, 30.0, "dog"),
    ],
)
def test_limits_are_kept(
    tmp_path, monkeypatch, capsys, with_distance, gray, probability, distance, said
):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (9, 9), gray).save("photo.png")
    Path("exports/any").mkdir(parents=True)
    files.write_json(Path("exports/any/model.json"), {"classes": ["cat", "dog"]})
    shutil.copy(with_distance, "exports/any")
    card = card_of((SIDE_PX, SIDE_PX, 3), unsure={"probability": probability, "distance": distance})
    card["exports"] = {"litert": {"file": "model.tflite"}}
    found = snippets.of(card)
    exec(found["LiteRT"], {})
    assert capsys.readouterr().out.split()[0] == said
    assert '"unsure" if prediction.unsure else prediction.label' in found["imago"]
    assert ("unsure" in found["Keras"]) == (probability is not None)  # which tells no distance


def test_grey_images_and_no_litert():
    found = snippets.of(card_of((28, 28, 1)))
    assert list(found) == ["imago", "Keras"]
    assert "COLOR_RGB2GRAY" in found["Keras"]
    assert "reshape(1, 28, 28, 1)" in found["Keras"]
    assert "unsure" not in "".join(found.values())
