"""The stage on tiny data, with features that stand for those of a backbone."""

import pickle
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

from imago.core import files, paths
from imago.data import writing
from imago.data.rows import Rows
from imago.runtimes import saving
from stages import backbone, inspect
from tests import tiny_net
from tests.trees import contents

CLASSES, SHAPE = ("cat", "dog"), (32, 32, 3)
PARAMS = """
seed: 20
datasets:
  pets:
    layout: image_folder
    licence: MIT
    files: {pets.zip: HASH}
    sources: [own]
    extract: {test_fraction: 0.2, greatest_unreadable_fraction: 0.1, greatest_megapixels: 1}
prepare:
  pets32: {dataset: pets, image_size_px: 32, color: rgb, fit: stretch, interpolation: area,
    validation_fraction: 0.2, augment: {zoom: 0.1}, views: 1}
weights:
  net: {files: {net.h5: unpublished}, sources: [own]}
backbones:
  net32: {net: MobileNetV2, weights: net, image_size_px: 32, pooling: average}
features:
  pets: {variant: pets32, backbone: net32}
exports: {}
experiments: {}
""".replace("HASH", "f" * 64)
COUNTS = {"train": 40, "validation": 10, "test": 10}
WRONG, COPIED = 7, ("train", 3)


def picture(label, generator):
    """A light picture or a dark one, each with a pattern of its own."""
    coarse = generator.integers(0, 90, (4, 4, 3)) + (150 if label else 10)
    return coarse.repeat(8, axis=0).repeat(8, axis=1).astype(np.uint8)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project whose photos are prepared and embedded; one has a wrong label, one is twice."""
    tree = tmp_path_factory.mktemp("tree")
    (tree / "params.yaml").write_text(PARAMS, "utf-8")
    generator = np.random.default_rng(3)
    keras.utils.set_random_seed(1)
    net = backbone.frozen(tiny_net.untrained(SHAPE), "average")
    saving.write_backbone(tree / "data/backbones/net32", net)
    prepared, features = tree / "data/prepared/pets32", tree / "data/features/pets"
    images, labels, rows = {}, {}, []
    for split, count in COUNTS.items():
        true = np.arange(count, dtype=np.int32) % 2
        images[split] = np.stack([picture(label, generator) for label in true])
        labels[split] = true.copy()
    labels["train"][WRONG] ^= 1
    images["test"][0] = images["train"][COPIED[1]]
    with (
        writing.splits(prepared, CLASSES, SHAPE, 1) as writer,
        writing.splits(features, CLASSES, (16,), 1) as embedded,
    ):
        for split in COUNTS:
            views = 2 if split == "train" else 1
            pixels = images[split].repeat(views, axis=0)
            if split == "train":
                pixels[1::2] = 255 - pixels[1::2]  # copies that would mislead
            writer.add(split, labels[split].repeat(views), [pixels])
            if split != "test":
                found = net.predict(pixels, verbose=0)
                embedded.add(split, labels[split].repeat(views), [found])
            for row, label in enumerate(labels[split]):
                name = f"{CLASSES[label]}/{split} <{row}>.jpg"
                rows.append((name, CLASSES[label], split, row * views, 640, 480))
        files.write_json(writer.folder / "provenance.json", {"dataset": {"name": "pets"}})
        columns = ["path", "class", "split", "row", "width_px", "height_px"]
        files.write_csv(writer.folder / "index.csv", pd.DataFrame(rows, columns=columns))
        (writer.folder / "set_aside.csv").write_text("path,reason\ncat/x.jpg,truncated\n", "utf-8")
    return tree


@pytest.fixture
def tree(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "tree")
    monkeypatch.chdir(tmp_path / "tree")
    inspect.main("pets")
    return tmp_path / "tree/reports/data/pets"


def table(folder, name):
    return pd.read_csv(folder / f"{name}.csv")


def test_what_there_is(tree):
    found = table(tree, "counts").set_index("class")
    assert found.loc["dog"].to_dict() == {
        "train": 19,
        "validation": 5,
        "test": 5,
        "all": 29,
        "median_width_px": 640,
        "median_height_px": 480,
    }


def test_wrong_labels_are_the_first_suspects(tree):
    """The one that was changed, and that of the copy, which is under another label."""
    found = table(tree, "suspects")
    assert {"cat/test <0>.jpg", f"cat/train <{WRONG}>.jpg"} == set(found["path"][:2])
    (first,) = found[found["split"] == "train"].to_dict("records")[:1]
    assert (first["class"], first["suggested"], first["split"]) == ("cat", "dog", "train")
    assert first["probability"] > 0.5 > first["probability_of_class"]


def test_one_picture_in_two_splits_and_under_two_labels(tree):
    (pair,) = table(tree, "duplicates").to_dict("records")
    assert (pair["path"], pair["other_path"]) == ("dog/train <3>.jpg", "cat/test <0>.jpg")
    assert (pair["split"], pair["other_split"], pair["kind"]) == ("train", "test", "exact")


def test_the_page_shows_all_that_was_found(tree):
    html = (tree / "index.html").read_text("utf-8")
    assert html.count("data:image/jpeg") >= 2 + 1 + 2 * 24
    for words in ("cat/train &lt;7&gt;.jpg", "cat/test &lt;0&gt;.jpg", "two labels", "truncated"):
        assert words in html
    assert "<0>" not in html


def test_two_runs_write_equal_bytes(tree):
    first = contents(tree)
    inspect.main("pets")
    assert contents(tree) == first
    assert set(first) == {
        "index.html",
        *(f"{name}.csv" for name in ("counts", "duplicates", "suspects", "left_out")),
    }


def test_test_images_travel_as_their_place(tree):
    """On a cluster, which warns of large tasks; training images here have augmented copies."""
    whole = inspect._originals(paths.prepared("pets32"))
    sent = {
        split: len(pickle.dumps(Rows(one.images, np.arange(10)))) for split, one in whole.items()
    }
    assert sent["test"] < 1000 < whole["test"].images.nbytes
    assert sent["train"] > 10 * 32 * 32 * 3
