"""Published files that were damaged: read for what they are, or refused in one line."""

import gzip
import io
import pickle
import random
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imago.core.errors import DataError
from imago.data import arrays, writing
from imago.datasets.cifar import layout as cifar
from imago.datasets.cifar.settings import Settings as CifarSettings
from imago.datasets.idx import layout as idx
from imago.datasets.idx.settings import Settings as IdxSettings
from imago.datasets.image_folder import layout as image_folder
from imago.datasets.image_folder.settings import Settings as FolderSettings
from tests import faults, photo_archives

pytestmark = pytest.mark.fault

COMMON = {"licence": "MIT", "sources": ["none"]}
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Flip, cut, splice, blank or overwrite, once to three times."""
    for _ in range(rng.randint(1, 3)):
        # Headers are short, and harm most.
        length = len(content) if rng.random() < 0.5 else min(len(content), 64)
        begin = rng.randrange(length + 1)
        end = min(len(content), begin + rng.choice((1, 2, 4, 30, 500)))
        match rng.choice(("flip", "cut", "splice", "remove", "blank", "number")):
            case "flip":
                some = bytes(byte ^ (1 << rng.randrange(8)) for byte in content[begin:end])
                content = content[:begin] + some + content[end:]
            case "cut":
                content = content[:begin]
            case "splice":
                content = content[:end] + content[begin:]
            case "remove":
                content = content[:begin] + content[end:]
            case "blank":
                content = content[:begin] + bytes(end - begin) + content[end:]
            case "number":
                order = rng.choice("<>")
                number = struct.pack(f"{order}I", rng.choice(EXTREMES))
                content = content[:begin] + number + content[begin + 4 :]
    return content


def tried(read: Callable[[], Any]) -> Any:
    """Return what was read, or None where it was refused in one line."""
    try:
        return read()
    except DataError as error:
        (line,) = str(error).splitlines()
        assert len(line) < 1000
        return None


def check_sound(split: arrays.Split, classes: int) -> None:
    assert len(split.images) == len(split.labels) > 0
    assert split.images.dtype == np.uint8
    assert 0 <= split.labels.min() <= split.labels.max() < classes


IDX = IdxSettings.model_validate(
    COMMON
    | {
        "layout": "idx",
        "files": dict.fromkeys("abcd", "0" * 64),
        "extract": {
            "classes": ["cat", "dog", "owl"],
            "train": {"images": "a", "labels": "b"},
            "test": {"images": "c", "labels": "d"},
        },
    }
)


def encoded(array: np.ndarray) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


@pytest.mark.parametrize("seed", range(faults.times(100, 5_000)))
def test_idx(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    images = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
    labels = np.array([0, 1, 2, 0, 1, 2], np.uint8)
    contents = {"a": images, "b": labels, "c": images[:3], "d": labels[:3]}
    hit = rng.choice("abcd")
    for name, array in contents.items():
        content = encoded(array)
        (tmp_path / name).write_bytes(damaged(content, rng) if name == hit else content)
    if dataset := tried(lambda: idx.read(IDX, tmp_path)):
        check_sound(dataset.train, 3)
        check_sound(dataset.test, 3)


CIFAR = CifarSettings.model_validate(
    COMMON
    | {
        "layout": "cifar",
        "files": {"a.tar.gz": "0" * 64},
        "extract": {
            "archive": "a.tar.gz",
            "train": ["batch"],
            "test": ["test"],
            "labels": "labels",
            "meta": "meta",
            "names": "names",
        },
    }
)


def cifar_members(rng: random.Random, damage_pickle: bool) -> bytes:
    data = np.arange(4 * 48, dtype=np.uint8).reshape(4, 48)
    contents = {
        "batch": {"data": data, "labels": [0, 1, 0, 1]},
        "test": {"data": data[:2], "labels": [1, 0]},
        "meta": {"names": ["cat", "dog"]},
    }
    hit = rng.choice(tuple(contents))
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, value in contents.items():
            content = pickle.dumps(value, 2)
            if damage_pickle and name == hit:
                content = damaged(content, rng)
            member = tarfile.TarInfo(f"pets/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("seed", range(faults.times(100, 5_000)))
def test_cifar(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    where = rng.choice(("pickle", "pickle", "tar", "gzip"))
    tar = cifar_members(rng, where == "pickle")
    if where == "tar":
        tar = damaged(tar, rng)
    content = gzip.compress(tar, 1, mtime=0)
    if where == "gzip":
        content = damaged(content, rng)
    (tmp_path / "a.tar.gz").write_bytes(content)
    if dataset := tried(lambda: cifar.read(CIFAR, tmp_path)):
        check_sound(dataset.train, len(dataset.classes))
        check_sound(dataset.test, len(dataset.classes))


FOLDER = FolderSettings.model_validate(
    COMMON
    | {
        "layout": "image_folder",
        "files": {"pets.zip": "0" * 64},
        "extract": {
            "test_fraction": 0.3,
            "greatest_unreadable_fraction": 0.5,
            "greatest_megapixels": 1.0,
        },
    }
)
SUFFIXES = (".png", ".jpg", ".bmp", ".webp", ".tiff")


@pytest.mark.parametrize("seed", range(faults.times(100, 5_000)))
def test_a_zip_of_photos(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = random.Random(seed)
    suffix = SUFFIXES[seed % len(SUFFIXES)]
    photos = {
        f"{name}/{number}{suffix}": photo_archives.photo(number + 100 * (name == "dog"), suffix)
        for name in ("cat", "dog")
        for number in range(4)
    }
    if rng.random() < 0.6:
        hit = rng.choice(tuple(photos))
        photos[hit] = damaged(photos[hit], rng)
        photo_archives.write(Path("pets.zip"), photos)
    else:
        path = photo_archives.write(Path("pets.zip"), photos)
        path.write_bytes(damaged(path.read_bytes(), rng))
    if info := tried(lambda: image_folder.extract(FOLDER, Path(), Path("out"))):
        assert set(info.classes) <= {"cat", "dog"} or len(info.classes) == 2


@pytest.mark.parametrize(
    "shape",
    [(2**32 - 1, 2**32 - 1, 2**32 - 1), (2**31, 1, 1), (1, 2**32 - 1, 1), (2**20, 2**20, 2**20)],
)
def test_idx_with_absurd_dimensions(shape: tuple[int, int, int], tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *shape) + b"x")
    assert tried(lambda: idx.read(IDX, tmp_path)) is None


def npy(header: str) -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text) + 1) + text + b"\n" + bytes(64)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"), id=id_)
        for id_, shape in {
            "absurd": f"({2**62}, 28, 28, 1)",
            "more than can be counted": f"({2**62}, {2**62}, {2**62})",
            "of 5,000 digits": f"({'9' * 5000},)",
            "negative": "(-1,)",
            "a terabyte": f"({10**12},)",
            "not closed": "(1,",
            "deep": "[" * 150 + "1" + "]" * 150,
            "no number": "('a',)",
        }.items()
    ]
    + [
        pytest.param(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), id="objects"),
        pytest.param(npy("{" + " " * 60_000 + "}"), id="long"),
        pytest.param(npy("-" * 9000 + "1"), id="many signs"),
        pytest.param(npy("{[]: 1}"), id="no key"),
        pytest.param(b"PK\3\4" + bytes(60), id="zip"),
        pytest.param(b"\x80\4N.", id="pickle"),
        pytest.param(b"", id="empty"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # NumPy's own, counting
def test_arrays_with_odd_headers(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "arrays"
    writing.dataset(folder, SMALL)
    (path,) = folder.rglob("train/images.npy")
    path.write_bytes(content)
    assert tried(lambda: arrays.read_split(folder, "train")) is None


SMALL = arrays.Dataset(
    ("cat", "dog"),
    arrays.Split(np.zeros((2, 2, 2, 1), np.uint8), np.array([0, 1], np.int32)),
    arrays.Split(np.zeros((2, 2, 2, 1), np.uint8), np.array([0, 1], np.int32)),
)
