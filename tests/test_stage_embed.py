import contextlib
import logging
import logging.handlers
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest

from imago.core import files
from imago.core.errors import DataError, ParamsError
from imago.data import arrays, provenance, writing
from imago.runtimes import saving
from stages import backbone, embed
from tests import tiny_net
from tests.trees import contents, damage

SHAPE = (32, 32, 3)
CLASSES = ("cat", "dog")
PARAMS = """
seed: 20
datasets:
  pets:
    layout: idx
    licence: MIT
    files: {a: HASH, b: HASH, c: HASH, d: HASH}
    sources: [pip:none==1]
    extract:
      classes: [cat, dog]
      train: {images: a, labels: b}
      test: {images: c, labels: d}
prepare:
  PREPARE
weights:
  net: {files: {net.h5: unpublished}, sources: [own]}
backbones:
  net32: {net: MobileNetV2, weights: net, image_size_px: 32, pooling: average}
features:
  pets: {variant: pets32, backbone: net32}
exports: {}
experiments: {}
""".replace("HASH", "f" * 64).replace(
    "PREPARE",
    "pets32: {dataset: pets, image_size_px: 32, color: rgb, fit: stretch, interpolation: area, "
    "validation_fraction: 0.2}",
)
GENERATOR = np.random.default_rng(5)
IMAGES = {
    split: GENERATOR.integers(0, 256, (count, *SHAPE), dtype=np.uint8)
    for split, count in (("train", 11), ("validation", 3), ("test", 2))
}
LABELS = {split: np.arange(len(images), dtype=np.int32) % 2 for split, images in IMAGES.items()}


@pytest.fixture(scope="module")
def net() -> keras.Model:
    keras.utils.set_random_seed(1)
    return backbone.frozen(tiny_net.untrained(SHAPE), "average")


@pytest.fixture(scope="module")
def made(tmp_path_factory, net) -> Path:
    """What the stage backbone writes."""
    folder = tmp_path_factory.mktemp("backbones") / "net32"
    saving.write_backbone(folder, net)
    return folder


def write_tree(folder, made):
    (folder / "params.yaml").write_text(PARAMS, "utf-8")
    shutil.copytree(made, folder / "data/backbones/net32")
    prepare(folder, "train", "validation", "test")


@pytest.fixture
def tree(tmp_path, monkeypatch, made):
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path, made)
    return tmp_path


class Run(NamedTuple):
    """A tree after the stage, the splits that it opened and what it said."""

    tree: Path
    opened: list[str]
    said: list[str]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory, made) -> Run:
    tree, read, opened = tmp_path_factory.mktemp("embedded"), arrays.read_split, []
    write_tree(tree, made)
    told = logging.getLogger("imago.stages.embed")
    said = logging.handlers.BufferingHandler(100)
    told.addHandler(said)
    told.setLevel(logging.INFO)
    with contextlib.chdir(tree), pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "read_split", lambda *split: opened.append(split[1]) or read(*split))
        embed.main("pets")
    told.setLevel(logging.NOTSET)
    told.removeHandler(said)
    return Run(tree, opened, [record.getMessage() for record in said.buffer])


def prepare(tree, *splits):
    with writing.splits(tree / "data/prepared/pets32", CLASSES, SHAPE) as writer:
        for split in splits:
            writer.add(split, LABELS[split], [IMAGES[split]])
        files.write_json(writer.folder / "provenance.json", {"dataset": {"name": "pets"}})


def assert_equal_to_1e_4(found, expected):
    scale = np.abs(expected).max()  # little: random weights let a signal fade
    assert np.abs(expected[0] - expected[1]).max() > 0.01 * scale
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-4)


def test_features_are_the_mean_of_the_nets_maps(embedded, net):
    folder = embedded.tree / "data/features/pets"
    for split in ("train", "validation"):
        found = arrays.read_split(folder, split)
        expected = net.predict(IMAGES[split], verbose=0)
        assert (found.images.shape, found.images.dtype) == (expected.shape, np.float32)
        assert_equal_to_1e_4(found.images, expected)
        np.testing.assert_array_equal(found.labels, LABELS[split])
    assert arrays.read_info(folder).classes == CLASSES
    (message,) = embedded.said
    assert message.startswith("pets: 16 features of each of 14 images, ")


def test_the_backbone_gives_the_features(embedded):
    folder = embedded.tree / "data/features/pets"
    model = keras.saving.load_model(folder / "backbone.keras", safe_mode=True)
    found = model.predict(IMAGES["train"], verbose=0)
    expected = arrays.read_split(folder, "train").images
    assert_equal_to_1e_4(found, expected)


def test_says_where_the_features_come_from(embedded):
    assert provenance.read(embedded.tree / "data/features/pets") == {
        "dataset": {"name": "pets"},
        "features": {
            "name": "pets",
            "variant": "pets32",
            "backbone": "net32",
            "net": "MobileNetV2",
            "weights": "net",
            "image_size_px": 32,
            "pooling": "average",
        },
    }


def test_the_test_split_stays_closed(embedded):
    folder = embedded.tree / "data/features/pets"
    assert embedded.opened == ["train", "validation"]
    assert list(arrays.read_info(folder).splits) == ["train", "validation"]
    assert not (folder / "test").exists()


def test_a_variant_without_validation_images(tree):
    prepare(tree, "train", "test")

    embed.main("pets")

    assert list(arrays.read_info(tree / "data/features/pets").splits) == ["train"]


def test_two_runs_write_equal_bytes(tree, embedded):
    first = contents(embedded.tree / "data/features/pets")

    embed.main("pets")

    assert contents(tree / "data/features/pets") == first
    assert {"backbone.keras", "dataset.json", "train/images.npy"} <= first.keys()


def test_missing_variant(tree):
    (tree / "data/prepared/pets32/dataset.json").unlink()

    with pytest.raises(DataError, match=r"data/prepared/pets32/dataset\.json: not found"):
        embed.main("pets")


@pytest.mark.usefixtures("tree")
def test_unknown_features():
    with pytest.raises(ParamsError, match=r"unknown features 'cats'; params\.yaml has pets"):
        embed.main("cats")


@pytest.mark.parametrize("split", ["train", "validation"])
def test_damaged_images_are_not_embedded(tree, split):
    damage(tree / f"data/prepared/pets32/{split}/images.npy")
    with pytest.raises(DataError, match=rf"{split}/images\.npy: damaged since it was written"):
        embed.main("pets")
    assert not (tree / "data/features").exists()


def test_a_backbone_of_another_size(tree):
    made_for = files.read_json(tree / "data/backbones/net32/model.json")
    files.write_json(
        tree / "data/backbones/net32/model.json", made_for | {"image_shape": [64, 64, 3]}
    )
    with pytest.raises(
        DataError, match=r"net32: its net takes images of 64×64×3, got a variant of"
    ):
        embed.main("pets")


@pytest.mark.parametrize("name", ["model.json", "model.tflite"])
def test_a_backbone_that_is_missing(tree, name):
    (tree / "data/backbones/net32" / name).unlink()
    with pytest.raises(DataError, match=rf"data/backbones/net32/{name}: not found; .* stage"):
        embed.main("pets")


def test_a_damaged_backbone(tree):
    damage(tree / "data/backbones/net32/model.tflite")
    with pytest.raises(DataError, match=r"model\.tflite: damaged since it was written"):
        embed.main("pets")
    assert not (tree / "data/features").exists()


def test_tensorflow_is_not_needed(tree):
    script = "import sys; from stages import embed; embed.main('pets'); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "imago.runtimes.litert" in modules
    assert not {"tensorflow", "keras"} & set(modules)
