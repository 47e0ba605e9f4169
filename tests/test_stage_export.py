import dataclasses
import json
import math
import shutil

import keras
import numpy as np
import pytest

from imago.core import files, paths, registry
from imago.core.errors import DataError, ExportError, ParamsError
from imago.data import writing
from imago.exports import formats
from imago.exports.formats import litert_int8
from imago.predict.predictor import Predictor
from imago.runtimes import calls, certainty, model_json, saving
from imago.runtimes.certainty import Certainty
from stages import export
from tests import tiny_project
from tests.trees import contents, damage

CLASSES = ("top", "middle", "bottom")
# Each row is an image of 1×3×1; the model answers with its pixels / 128, exact in float32.
PIXELS = np.array([[96, 16, 16], [64, 32, 32], [16, 16, 96], [0, 128, 0]] * 2, np.uint8)
IMAGES = PIXELS.reshape(-1, 1, 3, 1)
LABELS = np.array([0, 0, 2, 1] * 2, np.int32)
TRAINING = np.random.default_rng(1).integers(0, 129, (60, 1, 3, 1), dtype=np.uint8)
OTHERS = {"experiment", "classes", "input", "output", "formats", "sha256"}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    write_params(folder, ["litert", "onnx"])
    data = folder / "data/prepared/tiny8"
    with writing.splits(data, CLASSES, (1, 3, 1)) as writer:
        writer.add("train", np.zeros(60, np.int32), [TRAINING])
        writer.add("test", LABELS, [IMAGES])
    variant = tiny_project.settings()["prepare"]["tiny8"]
    files.write_json(data / "provenance.json", {"dataset": {}, "prepare": variant})
    pixels = keras.Input((1, 3, 1), dtype="uint8", name="images")
    flat = keras.layers.Flatten(name="flatten")(pixels)
    answers = keras.layers.Rescaling(1 / 128, name="answers")(flat)
    saving.write(folder / "models/plain", keras.Model(pixels, answers, name="m"), CLASSES)
    return folder


@pytest.fixture
def tree(tmp_path, monkeypatch, template):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(template, tmp_path, dirs_exist_ok=True)


def write_params(tree, formats, **changes):
    plain = json.loads(json.dumps(tiny_project.settings()))
    plain["exports"][tiny_project.EXPORT] |= {"formats": formats} | changes
    tiny_project.write_params(tree, plain)


def write_params_unsure(tree, formats, **unsure):
    """Let the experiment `plain` say that it does not know."""
    plain = json.loads(json.dumps(tiny_project.settings()))
    plain["prepare"]["tiny8"]["validation_fraction"] = 0.25
    for one in plain["experiments"].values():
        one["train"]["certainty"] = {"temperature": False, "neighbors": 9}
    plain["exports"][tiny_project.EXPORT] |= {"formats": formats, "unsure": unsure}
    tiny_project.write_params(tree, plain)
    folder = tree / "models/plain"
    model, classes = saving.read(folder)
    neighbors = np.eye(3, dtype=np.float32)[[0, 0, 0, 0, 0, 1]]
    far = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    validation = certainty.answers(np.array([0, 1, 2, 2]), np.eye(3)[[0, 1, 2, 0]] * 0.5, far)
    saving.write(folder, model, classes, Certainty(None, validation, neighbors))


def make_format_differ(monkeypatch, name, change):
    exported = registry.load(formats, name)
    as_it_is = exported.load

    def load(path, threads):
        predict = as_it_is(path, threads)
        return lambda images: change(predict(images))

    monkeypatch.setattr(exported, "load", load)


def test_every_format_gives_the_models_answers(tree):
    write_params(tree, registry.names(formats))
    export.main("plain")

    for name in registry.names(formats):
        exported = registry.load(formats, name)
        found = exported.load(tree / "exports/plain" / exported.FILE_NAME, 1)(IMAGES)
        tolerance = 1e-6 if exported.EXACT else 0.02
        np.testing.assert_allclose(found, PIXELS / 128, atol=tolerance, err_msg=name)


def test_model_json_describes_the_model_its_formats_and_no_latency(tree, caplog):
    """Latency would be in what DVC hashes."""
    with caplog.at_level("INFO", "imago"):
        export.main("plain")

    found = files.read_json(tree / "exports/plain/model.json")
    assert found.keys() == OTHERS
    assert (found["experiment"], found["classes"]) == ("plain", ["top", "middle", "bottom"])
    assert found["input"]["shape"] == [None, 1, 3, 1]
    assert (found["input"]["fit"], found["input"]["interpolation"]) == ("stretch", "area")
    compared = {
        "examples": 8,
        "accuracy": 1.0,
        "same_class_as_keras": 1.0,
        "greatest_difference": pytest.approx(0, abs=1e-6),
        "right_in_one_alone": 0,
    }
    assert found["formats"] == {
        name: {
            "file": file,
            "bytes": (tree / "exports/plain" / file).stat().st_size,
            "sha256": model_json.digest(tree / "exports/plain" / file),
            **compared,
        }
        for name, file in {"litert": "model.tflite", "onnx": "model.onnx"}.items()
    }
    found = files.read_json(paths.latency("plain"))
    assert {name: set(by_threads) for name, by_threads in found.items()} == {
        "litert": {"1", "2"},
        "onnx": {"1", "2"},
    }
    assert all(0 < f["median_ms"] <= f["p95_ms"] for of in found.values() for f in of.values())
    (table,) = (r.getMessage() for r in caplog.records if r.name == "imago.stages.export")
    assert [line.split()[0] for line in table.splitlines()] == ["format", "litert", "onnx"]
    before = contents(tree / "exports")
    export.main("plain")
    assert contents(tree / "exports") == before


def test_only_the_formats_asked_for_are_written(tree):
    (tree / "exports/plain").mkdir(parents=True)
    (tree / "exports/plain/model.onnx").touch()  # of an earlier run
    write_params(tree, ["saved_model"])

    export.main("plain")

    assert sorted(path.name for path in (tree / "exports/plain").iterdir()) == [
        "model.json",
        "saved_model",
    ]
    assert list(files.read_json(tree / "exports/plain/model.json")["formats"]) == ["saved_model"]


@pytest.mark.parametrize(
    ("change", "shown"),
    [(lambda p: p + 0.01, "1.00e-02"), (lambda p: p * math.nan, "nan")],
    ids=["0.01", "nan"],
)
def test_a_format_that_differs_leaves_no_export(tree, monkeypatch, change, shown):
    write_params(tree, ["onnx"])
    make_format_differ(monkeypatch, "onnx", change)

    message = f"onnx: the greatest difference .* must be at most 0.0001, got {shown}"
    with pytest.raises(ExportError, match=message):
        export.main("plain")
    assert list((tree / "exports").rglob("*")) == []


def test_a_quantised_format_may_differ_but_not_lose_accuracy(tree, monkeypatch):
    write_params(tree, ["litert_fp16"])
    make_format_differ(monkeypatch, "litert_fp16", lambda p: p / 2)
    export.main("plain")
    make_format_differ(monkeypatch, "litert_fp16", lambda p: p[:, ::-1])

    before = contents(tree)
    with pytest.raises(ExportError, match=r"litert_fp16: of \d+ test images, of which Keras gets"):
        export.main("plain")
    assert contents(tree) == before


def test_calibration_images_are_drawn_from_the_training_split(tree, monkeypatch):
    write_params(tree, ["litert_int8"], calibration_images=50)
    as_it_is, seen = litert_int8.write, []

    def write(source, path):
        seen.append(source.calibration)
        as_it_is(source, path)

    monkeypatch.setattr(litert_int8, "write", write)
    export.main("plain")

    rows = np.sort(np.random.default_rng(20).permutation(60)[:50])
    np.testing.assert_array_equal(seen[0], TRAINING[rows])


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


@pytest.mark.parametrize("split", ["train", "test"])
def test_damaged_data_calibrate_and_compare_nothing(tree, split):
    damage(tree / f"data/prepared/tiny8/{split}/images.npy")
    with pytest.raises(DataError, match=rf"{split}/images\.npy: damaged since it was written"):
        export.main("plain")
    assert not (tree / "exports").exists()


def test_each_format_has_the_digest_of_its_file(tree):
    write_params(tree, ["onnx", "saved_model"])
    export.main("plain")

    found = model_json.read_export(tree / "exports/plain").formats
    for said in found.values():
        assert said["sha256"] == model_json.digest(tree / "exports/plain" / said["file"])


def test_a_model_of_other_classes_is_not_exported(tree):
    described = model_json.read_trained(tree / "models/plain")
    swapped = dataclasses.replace(described, classes=("top", "bottom", "middle"))
    model_json.write(tree / "models/plain", swapped)
    message = (
        "models/plain: its classes must be those of data/prepared/tiny8, top, middle, bottom, "
    )
    with pytest.raises(DataError, match=f"{message}got top, bottom, middle; run the stage that tr"):
        export.main("plain")
    assert not (tree / "exports").exists()


def test_every_format_that_can_tells_the_distance_to_the_training_images(tree):
    write_params_unsure(tree, registry.names(formats), precision=0.6, unlike=0.0)
    export.main("plain")

    told = model_json.read_export(tree / "exports/plain")
    direction = PIXELS / np.linalg.norm(PIXELS, axis=1, keepdims=True)
    for name, said in told.formats.items():
        found = registry.load(formats, name).load(tree / "exports/plain" / said["file"], 1)(IMAGES)
        probabilities, far = calls.apart(found, 3)
        tolerance = 1e-6 if registry.load(formats, name).EXACT else 0.02
        np.testing.assert_allclose(probabilities, PIXELS / 128, atol=tolerance, err_msg=name)
        if name == "litert_int8":
            assert far is None
            assert "outputs" not in said
        else:  # the fifth nearest of five of the first direction and one of the second
            np.testing.assert_allclose(far, 1 - direction[:, 0], atol=1e-3, err_msg=name)
            assert said["outputs"] == ["probabilities", "training_distance"]


def test_the_limits_and_their_cost_are_in_model_json_and_in_predictions(tree, caplog):
    write_params_unsure(tree, ["litert", "onnx", "litert_int8"], precision=0.6, unlike=0.0)
    with caplog.at_level("INFO", "imago"):
        export.main("plain")

    told = model_json.read_export(tree / "exports/plain").unsure
    assert told == {
        "probability": None,
        "distance": pytest.approx(0.3),
        "wanted": {"precision": 0.6, "unlike": 0.0},
        "validation": {"images": 4, "answered": 3, "right": 3, "right_answered": 3},
        "test": {"images": 8, "answered": 4, "right": 8, "right_answered": 4},
    }
    assert "unsure where further than 0.3000 from the training images: 4 of 8" in caplog.text
    for file in ("model.tflite", "model.onnx"):
        found = Predictor(tree / "exports/plain" / file).predict(IMAGES)
        assert [one.unsure for one in found] == [None, None, "unlike", "unlike"] * 2
        assert found[0].distance == pytest.approx(1 - 96 / math.hypot(96, 16, 16), abs=1e-5)
    asked = Predictor(tree / "exports/plain", threshold=0)
    assert not asked.may_be_unsure
    assert {one.unsure for one in asked.predict(IMAGES)} == {None}
    asked = Predictor(tree / "exports/plain", threshold=0.6)
    assert [one.unsure for one in asked.predict(IMAGES)][:2] == [None, "improbable"]
    coarse = Predictor(tree / "exports/plain/model_int8.tflite").predict(IMAGES)
    assert {(one.distance, one.unsure) for one in coarse} == {(None, None)}


def test_coverage_alone_needs_no_neighbors(tree):
    write_params_unsure(tree, ["onnx"], coverage=0.5)
    export.main("plain")
    told = model_json.read_export(tree / "exports/plain")
    assert (told.unsure["probability"], told.unsure["distance"]) == (0.5, None)
    assert "outputs" not in told.formats["onnx"]
    assert Predictor(tree / "exports/plain").predict(IMAGES)[1].unsure is None


def test_a_format_whose_distances_differ_leaves_no_export(tree, monkeypatch):
    write_params_unsure(tree, ["onnx"], unlike=0.0)
    make_format_differ(monkeypatch, "onnx", lambda found: np.add(found, [0, 0, 0, 0.01]))
    message = r"onnx: the greatest difference from Keras' distances must be at most 0\.0001, got 1"
    with pytest.raises(ExportError, match=message):
        export.main("plain")
    assert list((tree / "exports").rglob("*")) == []
