import gzip
import re
import struct

import numpy as np
import pytest

from imago import params
from imago.core.errors import DataError, ParamsError
from imago.datasets.idx import layout
from imago.datasets.idx.settings import Extract, Pair, Settings

CLASSES = ("cat", "dog", "owl")
IMAGES = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
LABELS = np.array([2, 0, 1, 2], np.uint8)


def encode(array, magic=None):
    magic = magic or bytes([0, 0, 8, array.ndim])
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def settings():
    return Settings(
        layout="idx",
        licence="MIT",
        files=dict.fromkeys(("train-x", "train-y", "test-x", "test-y"), "0" * 64),
        sources=["pip:none==1"],
        extract=Extract(
            classes=list(CLASSES),
            train=Pair(images="train-x", labels="train-y"),
            test=Pair(images="test-x", labels="test-y"),
        ),
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train-x").write_bytes(encode(IMAGES))
    (tmp_path / "train-y").write_bytes(encode(LABELS))
    (tmp_path / "test-x").write_bytes(encode(IMAGES[:2]))
    (tmp_path / "test-y").write_bytes(encode(LABELS[:2]))
    return tmp_path


def test_splits(settings, folder):
    dataset = layout.read(settings, folder)

    assert dataset.classes == CLASSES
    np.testing.assert_array_equal(dataset.train.images, IMAGES[..., np.newaxis])
    np.testing.assert_array_equal(dataset.test.images, IMAGES[:2, ..., np.newaxis])
    assert dataset.train.labels.tolist() == [2, 0, 1, 2]
    assert dataset.test.labels.tolist() == [2, 0]
    assert dataset.train.images.dtype == np.uint8
    assert dataset.train.labels.dtype == np.int32


def test_images_are_memory_mapped(settings, folder):
    images = layout.read(settings, folder).train.images

    assert isinstance(images, np.memmap)
    assert not images.flags.writeable


def test_test_split_may_lack_a_class(settings, folder):
    assert 1 not in layout.read(settings, folder).test.labels


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        pytest.param("train-x", None, "train-x: not found; fetch the data set", id="missing"),
        pytest.param("train-x", b"", "must begin with a header, got 0 bytes in all", id="no bytes"),
        pytest.param(
            "train-x",
            gzip.compress(encode(IMAGES)),
            "train-x: must be uncompressed, got a gzip file; unpack it with gunzip",
            id="gzip",
        ),
        pytest.param(
            "train-x",
            encode(IMAGES, b"\x89PNG"),
            "must be an IDX file, which begins with 00 00 08, got 89 50 4e 47",
            id="another format",
        ),
        pytest.param(
            "train-x", encode(IMAGES, b"\0\0\x07\3"), "with 00 00 08, got 00 00 07 03", id="no type"
        ),
        pytest.param(
            "train-x",
            encode(IMAGES.astype(">f4"), b"\0\0\x0d\3"),
            "values must be of type unsigned byte (0x08), got float (0x0d)",
            id="float",
        ),
        pytest.param(
            "train-x",
            encode(LABELS),
            "must have 3 dimensions, got 1; images have 3 and labels 1",
            id="labels for images",
        ),
        pytest.param("train-y", encode(IMAGES), "must have 1 dimension, got 3", id="and back"),
        pytest.param(
            "train-x",
            encode(IMAGES)[:15],
            "must begin with a header of 16 bytes, got 15 bytes; it is truncated",
            id="truncated header",
        ),
        pytest.param(
            "train-x",
            encode(IMAGES)[:-1],
            "must be 40 bytes long for its dimensions 4×2×3, got 39; it is truncated",
            id="truncated",
        ),
        pytest.param(
            "train-x",
            encode(IMAGES) + b"\0",
            "4×2×3, got 41; something follows the values",
            id="too long",
        ),
        pytest.param(
            "train-x",
            b"\0\0\x08\3" + b"\xff" * 12,
            "must be 79228162458924105385300197391 bytes long",
            id="huge",
        ),
        pytest.param(
            "train-x", encode(IMAGES[:0]), "must not be empty, got dimensions 0×2×3", id="empty"
        ),
        pytest.param(
            "train-y",
            encode(LABELS[:3]),
            "train-y: must have 4 labels, one for each image of train-x, got 3",
            id="counts",
        ),
        pytest.param(
            "train-y",
            encode(np.array([0, 1, 3, 2], np.uint8)),
            "train-y: labels must be 0 to 2, got 3 at position 2",
            id="label",
        ),
        pytest.param(
            "train-y",
            encode(np.array([2, 2, 2, 2], np.uint8)),
            "train-y: must have every class, got no image of cat, dog",
            id="absent class",
        ),
        pytest.param(
            "test-x",
            encode(IMAGES[:2, :, :2]),
            "test-x: images must be 2×3 pixels, as in train-x, got 2×2",
            id="shape",
        ),
    ],
)
def test_faulty_file(settings, folder, file, content, message):
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)

    with pytest.raises(DataError, match=re.escape(message)) as caught:
        layout.read(settings, folder)
    assert str(caught.value).startswith(str(folder / file))


PARAMS = """
seed: 20
datasets:
  pets:
    layout: idx
    licence: MIT
    files: {a: HASH, b: HASH, c: HASH, d: HASH}
    sources: [pip:none==1]
    extract:
      classes: [cat, dog, owl]
      train: {images: a, labels: b}
      test: {images: c, labels: d}
prepare: {}
weights: {}
backbones: {}
features: {}
exports: {}
experiments: {}
""".replace("HASH", "f" * 64)


def test_sound_section():
    assert isinstance(params.parse(PARAMS).datasets["pets"], Settings)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "images: c",
            "images: x",
            "datasets.pets: extract must name files of a, b, c, d, got x",
            id="unknown file",
        ),
        pytest.param(
            "images: c", "images: a", "extract must name each file once, got a 2 times", id="leak"
        ),
        pytest.param(
            "files: {",
            f"files: {{e: {'e' * 64}, ",
            "extract must use every file, and leaves out e",
            id="unused file",
        ),
        pytest.param(
            "dog, owl",
            "dog, cat",
            "extract.classes: class names must be unique, got twice: cat",
            id="class twice",
        ),
        pytest.param("[cat, dog, owl]", "[cat]", "datasets.pets.extract.classes", id="one class"),
        pytest.param("cat, dog", '"", dog', "extract.classes.0", id="nameless class"),
    ],
)
def test_faulty_section(old, new, message):
    assert old in PARAMS

    with pytest.raises(ParamsError, match=re.escape(message)):
        params.parse(PARAMS.replace(old, new))
