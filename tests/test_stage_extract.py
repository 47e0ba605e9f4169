import hashlib
import struct

import numpy as np
import pytest

from imago.core.errors import DataError, ParamsError
from imago.data import arrays, provenance
from stages import extract
from tests.trees import contents

IMAGES = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
LABELS = np.array([1, 0, 1], np.uint8)


def encode(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


FILES = {
    name: encode(array)
    for name, array in {"a": IMAGES, "b": LABELS, "c": IMAGES[1:], "d": LABELS[1:]}.items()
}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
PARAMS = f"""
seed: 20
datasets:
  pets:
    layout: idx
    licence: MIT
    files: {DIGESTS}
    sources: [pip:none==1]
    extract:
      classes: [cat, dog]
      train: {{images: a, labels: b}}
      test: {{images: c, labels: d}}
prepare: {{}}
weights: {{}}
backbones: {{}}
features: {{}}
exports: {{}}
experiments: {{}}
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS, "utf-8")
    raw = tmp_path / "data/raw/pets"
    raw.mkdir(parents=True)
    for name, content in FILES.items():
        (raw / name).write_bytes(content)
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
            "files": DIGESTS,
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
    text = PARAMS.replace(DIGESTS["d"], hashlib.sha256(encode(LABELS)).hexdigest())
    (tree / "params.yaml").write_text(text, "utf-8")
    (tree / "data/raw/pets/d").write_bytes(encode(LABELS))

    with pytest.raises(DataError, match="data/raw/pets/d: must have 2 labels"):
        extract.main("pets")
    assert not (tree / "data/extracted").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_damaged_since_it_was_fetched(tree, name):
    path = tree / "data/raw/pets" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # another pixel or label, as good as any other
    path.write_bytes(content)

    with pytest.raises(DataError) as caught:
        extract.main("pets")

    assert str(caught.value).startswith(f"data/raw/pets/{name}: damaged since it was fetched: its ")
    assert str(caught.value).endswith(
        f"params.yaml has {DIGESTS[name]}; delete data/raw/pets, and `dvc checkout data/raw/pets` "
        "brings it back from the DVC cache"
    )
    assert not (tree / "data/extracted").exists()


@pytest.mark.usefixtures("tree")
def test_unknown_data_set():
    with pytest.raises(ParamsError, match=r"unknown data set 'cars'; params\.yaml has pets"):
        extract.main("cars")
