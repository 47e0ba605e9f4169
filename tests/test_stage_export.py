import dataclasses
import json
import math

import keras
import numpy as np
import pytest
import yaml

from imago import arrays, exports, files, saving
from imago.errors import DataError, ExportError, ParamsError
from stages import export
from tests import tiny_project

CLASSES = ("top", "middle", "bottom")
# Each row is an image of 1×3×1; the model answers with its pixels / 128, exact in float32.
PIXELS = np.array([[96, 16, 16], [64, 32, 32], [16, 16, 96], [0, 128, 0]] * 2, np.uint8)
IMAGES = PIXELS.reshape(-1, 1, 3, 1)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(tmp_path, ["litert", "saved_model"])
    with arrays.writing(tmp_path / "data/prepared/tiny8", CLASSES, (1, 3, 1)) as writer:
        writer.add("train", np.array([0], np.int32), [IMAGES[:1]])
        writer.add("test", np.zeros(8, np.int32), [IMAGES])
    pixels = keras.Input((1, 3, 1), dtype="uint8", name="images")
    flat = keras.layers.Flatten(name="flatten")(pixels)
    answers = keras.layers.Rescaling(1 / 128, name="answers")(flat)
    saving.write(tmp_path / "models/plain", keras.Model(pixels, answers, name="m"), CLASSES)
    return tmp_path


def write_params(tree, formats):
    plain = json.loads(json.dumps(tiny_project.settings()))
    plain["experiments"]["plain"]["export"]["formats"] = formats
    (tree / "params.yaml").write_text(yaml.safe_dump(plain), "utf-8")


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def make_format_differ(monkeypatch, format_name, difference):
    read = exports.read

    def read_another(name, path):
        predict = read(name, path)
        return (lambda images: predict(images) + difference) if name == format_name else predict

    monkeypatch.setattr(exports, "read", read_another)


def test_every_format_gives_the_models_answers(tree):
    export.main("plain")

    folder = tree / "exports/plain"
    for name, file_name in (("litert", "model.tflite"), ("saved_model", "saved_model")):
        found = exports.read(name, folder / file_name)(IMAGES)
        np.testing.assert_allclose(found, PIXELS / 128, atol=1e-6)


def test_model_json_describes_the_formats(tree):
    export.main("plain")

    agreement = {
        "examples": 8,
        "greatest_difference": pytest.approx(0, abs=1e-6),
        "same_class": 1.0,
    }
    assert files.read_json(tree / "exports/plain/model.json") == {
        "classes": ["top", "middle", "bottom"],
        "input": {
            "name": "pixels",
            "shape": [None, 1, 3, 1],
            "dtype": "uint8",
            "range": [0, 255],
        },
        "output": {"name": "probabilities", "shape": [None, 3], "dtype": "float32"},
        "agreement_with_keras": {"litert": agreement, "saved_model": agreement},
    }


def test_agreement_counts_what_differs(tree, monkeypatch):
    make_format_differ(monkeypatch, "litert", np.float32(2**-14))  # less than 0.0001

    export.main("plain")

    found = files.read_json(tree / "exports/plain/model.json")["agreement_with_keras"]
    assert found["litert"]["greatest_difference"] == pytest.approx(2**-14, abs=1e-6)
    assert found["saved_model"]["greatest_difference"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("formats", "folders"),
    [
        (["litert"], ["model.json", "model.tflite"]),
        (["saved_model"], ["model.json", "saved_model"]),
    ],
    ids=["litert", "saved_model"],
)
def test_only_the_formats_asked_for_are_written(tree, formats, folders):
    export.main("plain")
    write_params(tree, formats)

    export.main("plain")

    assert sorted(path.name for path in (tree / "exports/plain").iterdir()) == folders
    found = files.read_json(tree / "exports/plain/model.json")
    assert list(found["agreement_with_keras"]) == formats


@pytest.mark.parametrize("name", ["litert", "saved_model"])
@pytest.mark.parametrize(
    ("difference", "shown"), [(0.01, "1.00e-02"), (math.nan, "nan")], ids=["0.01", "nan"]
)
def test_a_format_that_differs_leaves_no_export(tree, monkeypatch, name, difference, shown):
    make_format_differ(monkeypatch, name, difference)

    message = f"{name}: the greatest difference .* must be at most 0.0001, got {shown}"
    with pytest.raises(ExportError, match=message):
        export.main("plain")
    assert list((tree / "exports").rglob("*")) == []


def test_a_format_that_differs_leaves_the_earlier_export(tree, monkeypatch):
    export.main("plain")
    before = contents(tree)
    make_format_differ(monkeypatch, "saved_model", 0.01)

    with pytest.raises(ExportError, match="saved_model"):
        export.main("plain")
    assert contents(tree) == before


def test_only_the_images_of_the_test_split_are_used(tree, monkeypatch):
    read, asked_for = arrays.read_split, []

    def record_and_hide_labels(folder, split):
        asked_for.append((folder.as_posix(), split))
        return dataclasses.replace(read(folder, split), labels=None)

    monkeypatch.setattr(arrays, "read_split", record_and_hide_labels)
    export.main("plain")
    assert asked_for == [("data/prepared/tiny8", "test")]


def test_each_agreement_is_logged(tree, caplog):
    with caplog.at_level("INFO", "imago"):
        export.main("plain")

    assert [message.split(":")[0] for message in caplog.messages] == ["litert", "saved_model"]
    assert all(message.endswith("from Keras on 8 images") for message in caplog.messages)


def test_missing_model(tree):
    (tree / "models/plain/model.keras").unlink()

    message = r"models/plain/model\.keras: not found; run the stage that writes it"
    with pytest.raises(DataError, match=message):
        export.main("plain")
    assert not (tree / "exports").exists()


@pytest.mark.usefixtures("tree")
def test_unknown_experiment():
    message = r"unknown experiment 'plane'; params\.yaml has plain, validated"
    with pytest.raises(ParamsError, match=message):
        export.main("plane")
