import struct

import numpy as np
import pytest

from imago.core.errors import DataError, ParamsError
from imago.data import arrays, provenance
from stages import extract
from tests.trees import contents

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
prepare: {}
weights: {}
features: {}
exports: {}
experiments: {}
""".replace("HASH", "f" * 64)

IMAGES = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
LABELS = np.array([1, 0, 1], np.uint8)


def encode(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS, "utf-8")
    raw = tmp_path / "data/raw/pets"
    raw.mkdir(parents=True)
    for name, array in {"a": IMAGES, "b": LABELS, "c": IMAGES[1:], "d": LABELS[1:]}.items():
        (raw / name).write_bytes(encode(array))
    return tmp_path


def test_extract_writes_the_splits(tree, caplog):
    with caplog.at_level("INFO", "imago"):
        extract.main("pets")

    folder = tree / "data/extracted/pets"
    info = arrays.read_info(folder)
    assert info.classes == ("cat", "dog")
    assert info.image_shape == (4, 4, 1)
    assert info.statistics is None
    assert list(contents(folder)) == [
        "dataset.json",
        "provenance.json",
        "test/images.npy",
        "test/labels.npy",
        "train/images.npy",
        "train/labels.npy",
    ]
    train, test = arrays.read_split(folder, "train"), arrays.read_split(folder, "test")
    np.testing.assert_array_equal(train.images[..., 0], IMAGES)
    np.testing.assert_array_equal(test.images[..., 0], IMAGES[1:])
    assert train.labels.tolist() == [1, 0, 1]
    assert test.labels.tolist() == [0, 1]
    assert caplog.messages == ["pets: 3 train, 2 test images of 4×4×1"]


def test_extract_says_where_the_images_come_from(tree):
    extract.main("pets")

    assert provenance.read(tree / "data/extracted/pets") == {
        "dataset": {
            "name": "pets",
            "layout": "idx",
            "licence": "MIT",
            "files": dict.fromkeys("abcd", "f" * 64),
            "extract": {
                "classes": ["cat", "dog"],
                "train": {"images": "a", "labels": "b"},
                "test": {"images": "c", "labels": "d"},
            },
        }
    }


def test_extract_twice_gives_the_same_bytes(tree, monkeypatch):
    extract.main("pets")
    first = contents(tree / "data/extracted/pets")

    monkeypatch.setattr(arrays, "BLOCK_BYTES", 1)
    extract.main("pets")

    assert contents(tree / "data/extracted/pets") == first


def test_faulty_file_leaves_nothing(tree):
    (tree / "data/raw/pets/d").write_bytes(encode(LABELS))

    with pytest.raises(DataError, match="data/raw/pets/d: must have 2 labels"):
        extract.main("pets")
    assert not (tree / "data/extracted").exists()


@pytest.mark.usefixtures("tree")
def test_unknown_data_set():
    with pytest.raises(ParamsError, match=r"unknown data set 'cars'; params\.yaml has pets"):
        extract.main("cars")
