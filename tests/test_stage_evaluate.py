import dataclasses
import math
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

from imago.core import files
from imago.core.errors import DataError, ParamsError
from imago.data import arrays, writing
from imago.runtimes import saving, trained
from stages import evaluate
from tests import tiny_project
from tests.trees import damage

CLASSES = ("top", "middle", "bottom")
LABELS = np.array([0, 1, 2, 0, 1, 1, 0, 0], np.int32)
# Each row is an image of 1×3×1; the model answers with its pixels / 128, exact in float32.
PIXELS = np.array(
    [
        [96, 16, 16],
        [64, 32, 32],  # wrong
        [16, 16, 96],
        [32, 32, 64],  # wrong
        [0, 128, 0],
        [16, 96, 16],
        [128, 0, 0],
        [64, 32, 32],
    ],
    np.uint8,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    tiny_project.write_params(folder, tiny_project.settings())
    images = PIXELS.reshape(-1, 1, 3, 1)
    with writing.splits(folder / "data/prepared/tiny8", CLASSES, (1, 3, 1)) as writer:
        writer.add("train", 2 - LABELS, [images])
        writer.add("test", LABELS, [images])
        writer.identify("test", np.arange(8, dtype=np.uint64))
    pixels = keras.Input((1, 3, 1), dtype="uint8", name="pixels")
    flat = keras.layers.Flatten(name="flatten")(pixels)
    scaled = keras.layers.Rescaling(1 / 128, name="scale")(flat)
    answers = keras.layers.Dense(
        3, use_bias=False, kernel_initializer="identity", name="probabilities"
    )(scaled)
    saving.write(folder / "models/plain", keras.Model(pixels, answers, name="m"), CLASSES)
    return folder


@pytest.fixture
def tree(tmp_path, monkeypatch, template):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(template, tmp_path, dirs_exist_ok=True)


def test_metrics(tree):
    evaluate.main("plain")

    found = files.read_json(tree / "metrics/plain.json")
    halves_of_truth = 2 + 2 + 1  # -log2 of 1/4, 1/4 and 1/2
    assert found == {
        "accuracy": 6 / 8,
        "accuracy_low": pytest.approx(0.409275, abs=1e-6),  # Wilson, z = 1.959964
        "accuracy_high": pytest.approx(0.928521, abs=1e-6),
        "balanced_accuracy": pytest.approx((3 / 4 + 2 / 3 + 1) / 3),
        "balanced_accuracy_low": pytest.approx(0.465266, abs=1e-6),  # told for 4, 3 and 1 images
        "balanced_accuracy_high": pytest.approx(0.918929, abs=1e-6),
        "macro_f1": pytest.approx((3 / 4 + 4 / 5 + 2 / 3) / 3),
        "weighted_f1": pytest.approx((4 * 3 / 4 + 3 * 4 / 5 + 1 * 2 / 3) / 8),
        # pairs of an image of the class and one of another in the right order, half for equal ones
        "roc_auc": pytest.approx((14.5 / 16 + 14 / 15 + 7 / 7) / 3),
        "loss": pytest.approx((3 * math.log(4 / 3) + halves_of_truth * math.log(2)) / 8),
        # three right at 3/4, one right at 1/2, two wrong at 1/2, two right at 1
        "brier_score": pytest.approx((3 * 6 / 64 + 6 / 16 + 2 * 14 / 16) / 8),
        "expected_calibration_error": pytest.approx((3 * (1 / 2 - 1 / 3) + 3 * (1 - 3 / 4)) / 8),
        "examples": 8,
        "parameters": 9,
    }


def test_predictions_are_in_the_order_of_the_split(tree):
    evaluate.main("plain")

    rows = pd.read_parquet(tree / "predictions/plain.parquet")
    assert rows.to_csv(index=False).splitlines() == [
        "example,image,true,predicted,probability,true_probability,p:top,p:middle,p:bottom",
        "0,0000000000000000,top,top,0.75,0.75,0.75,0.125,0.125",
        "1,0000000000000001,middle,top,0.5,0.25,0.5,0.25,0.25",
        "2,0000000000000002,bottom,bottom,0.75,0.75,0.125,0.125,0.75",
        "3,0000000000000003,top,bottom,0.5,0.25,0.25,0.25,0.5",
        "4,0000000000000004,middle,middle,1.0,1.0,0.0,1.0,0.0",
        "5,0000000000000005,middle,middle,0.75,0.75,0.125,0.75,0.125",
        "6,0000000000000006,top,top,1.0,1.0,1.0,0.0,0.0",
        "7,0000000000000007,top,top,0.5,0.5,0.5,0.25,0.25",
    ]


def test_figures_of_each_class(tree):
    evaluate.main("plain")

    found = pd.read_csv(tree / "reports/plain/per_class.csv")
    assert found.columns.tolist() == ["class", "precision", "recall", "f1", "support", "roc_auc"]
    assert found["class"].tolist() == list(CLASSES)
    assert found["precision"].tolist() == pytest.approx([3 / 4, 2 / 2, 1 / 2])
    assert found["recall"].tolist() == pytest.approx([3 / 4, 2 / 3, 1 / 1])
    assert found["f1"].tolist() == pytest.approx([3 / 4, 4 / 5, 2 / 3])
    assert found["support"].tolist() == [4, 3, 1]
    assert found["roc_auc"].tolist() == pytest.approx([14.5 / 16, 14 / 15, 1])


def test_classification_report(tree):
    evaluate.main("plain")

    text = (tree / "reports/plain/classification_report.txt").read_text("utf-8")
    assert text.splitlines()[2:5] == [
        "         top     0.7500    0.7500    0.7500         4",
        "      middle     1.0000    0.6667    0.8000         3",
        "      bottom     0.5000    1.0000    0.6667         1",
    ]
    assert text.endswith("\n")


def test_reliability(tree):
    evaluate.main("plain")

    found = pd.read_csv(tree / "reports/plain/reliability.csv")
    found = found[found["examples"] > 0]
    assert found["confidence_to"].tolist() == pytest.approx([8 / 15, 12 / 15, 1], abs=1e-6)
    assert found["examples"].tolist() == [3, 3, 2]
    assert found["confidence"].tolist() == [1 / 2, 3 / 4, 1]
    assert found["accuracy"].tolist() == pytest.approx([1 / 3, 1, 1], abs=1e-6)


def test_roc(tree):
    evaluate.main("plain")

    lines = (tree / "reports/plain/roc.csv").read_text("utf-8").splitlines()
    assert lines[0] == "class,false_positive_rate,true_positive_rate"
    assert [line for line in lines if line.startswith("bottom")] == [
        "bottom,0.0,0.0",
        "bottom,0.0,1.0",
        "bottom,0.142857,1.0",
        "bottom,1.0,1.0",
    ]


def test_a_second_run_gives_the_same_bytes(tree):
    written = ("metrics/*.json", "predictions/*.parquet", "reports/plain/*")

    def read():
        return {path: path.read_bytes() for name in written for path in tree.glob(name)}

    evaluate.main("plain")
    before = read()
    evaluate.main("plain")

    assert len(before) == 7
    assert read() == before


def test_confusion(tree):
    evaluate.main("plain")

    assert (tree / "reports/plain/confusion.csv").read_text("utf-8").splitlines() == [
        "true,predicted,count,share",
        "top,top,3,0.75",
        "top,middle,0,0.0",
        "top,bottom,1,0.25",
        "middle,top,1,0.333333",
        "middle,middle,2,0.666667",
        "middle,bottom,0,0.0",
        "bottom,top,0,0.0",
        "bottom,middle,0,0.0",
        "bottom,bottom,1,1.0",
    ]


def test_the_figures_are_logged(tree, caplog):
    with caplog.at_level("INFO", "imago"):
        evaluate.main("plain")

    assert caplog.messages == [
        "plain: balanced accuracy 80.56 % (95 % interval 46.53 to 91.89) on 8 test images"
    ]


def test_writes_beside_the_history_of_the_training(tree):
    history = tree / "reports/plain/history.csv"
    history.parent.mkdir(parents=True)
    history.write_text("epoch\n")

    evaluate.main("plain")

    assert history.read_text() == "epoch\n"
    assert sorted(path.name for path in history.parent.iterdir()) == [
        "classification_report.txt",
        "confusion.csv",
        "history.csv",
        "per_class.csv",
        "reliability.csv",
        "roc.csv",
    ]


def test_only_the_test_split_is_read(tree, monkeypatch):
    read, asked_for = arrays.read_split, []

    def record(folder, split):
        asked_for.append((folder.as_posix(), split))
        return read(folder, split)

    monkeypatch.setattr(arrays, "read_split", record)
    evaluate.main("plain")
    assert asked_for == [("data/prepared/tiny8", "test")]


def test_missing_model(tree):
    (tree / "models/plain/model.tflite").unlink()

    message = r"models/plain/model\.tflite: not found; run the stage that writes it"
    with pytest.raises(DataError, match=message):
        evaluate.main("plain")
    assert not (tree / "metrics").exists()


def test_a_model_of_other_classes(tree):
    """In the order of other names its probabilities would be those of the wrong classes."""
    model, _ = saving.read(tree / "models/plain")
    saving.write(tree / "models/plain", model, CLASSES[::-1])

    message = (
        r"data/prepared/tiny8: the classes must be those that models/plain was trained on, "
        r"bottom, middle, top, got top, middle, bottom; run the stage that trains it"
    )
    with pytest.raises(DataError, match=message):
        evaluate.main("plain")
    assert not (tree / "metrics").exists()


def test_a_model_that_gives_no_probabilities(tree, monkeypatch):
    model = trained.read(tree / "models/plain", (1, 3, 1))

    def broken(images):
        return np.where(np.arange(3) == 1, np.float32(np.nan), model.runtime.call(images))

    runtime = dataclasses.replace(model.runtime, call=broken)
    monkeypatch.setattr(trained, "read", lambda *_: dataclasses.replace(model, runtime=runtime))

    message = "example 0: the model's output must be probabilities that add up to 1, got 0.75, nan"
    with pytest.raises(DataError, match=message):
        evaluate.main("plain")
    assert not (tree / "metrics").exists()


def test_missing_data(tree):
    (tree / "data/prepared/tiny8/dataset.json").unlink()

    with pytest.raises(DataError, match=r"data/prepared/tiny8/dataset\.json: not found"):
        evaluate.main("plain")


@pytest.mark.usefixtures("tree")
def test_unknown_experiment():
    message = r"unknown experiment 'plane'; params\.yaml has plain, validated"
    with pytest.raises(ParamsError, match=message):
        evaluate.main("plane")


@pytest.mark.parametrize("name", ["images", "labels", "identities"])
def test_damaged_data_are_not_scored(tree, name):
    damage(tree / f"data/prepared/tiny8/test/{name}.npy")
    with pytest.raises(DataError, match=rf"tiny8/test/{name}\.npy: damaged since it was written"):
        evaluate.main("plain")
    assert not (tree / "metrics").exists()


def test_a_model_of_other_images(tree):
    pixels = keras.Input((2, 2, 1), dtype="uint8", name="pixels")
    answers = keras.layers.Flatten(name="flatten")(pixels)
    model = keras.Model(pixels, keras.layers.Rescaling(1 / 128, name="scale")(answers), name="m")
    saving.write(tree / "models/plain", model, ("top", "middle", "bottom"))

    message = "model.tflite: must take images of 1×3×1 and give 3 probabilities"
    with pytest.raises(DataError, match=f"{message}.*; run the stage train again"):
        evaluate.main("plain")
