import csv

import numpy as np
import pytest

from imago.core.errors import DataError
from imago.data import index
from imago.data.arrays import Info

HEAD = "path,class,split,row,width_px,height_px"


def write(folder, *lines):
    folder.mkdir(exist_ok=True)
    (folder / index.FILE).write_text("\n".join([HEAD, *lines, ""]), "utf-8")
    return folder


def info(views):
    return Info(("cat", "dog"), (4, 4, 3), splits={}, views=views, statistics=None)


@pytest.fixture
def extracted(tmp_path):
    return write(
        tmp_path / "extracted",
        "cat/a b.jpg,cat,train,0,4,5",
        '"cat/é,ü.jpg",cat,train,1,6,7',
        "dog/c.jpg,dog,train,2,8,9",
        "dog/d.jpg,dog,test,0,1,2",
    )


def test_rows_of_each_split(extracted):
    found = list(index.rows(extracted, "train"))
    assert [row["path"] for row in found] == ["cat/a b.jpg", "cat/é,ü.jpg", "dog/c.jpg"]
    assert next(index.rows(extracted, "test"))["width_px"] == "1"


def test_no_index(tmp_path):
    assert not list(index.rows(tmp_path, "train"))
    index.carry(tmp_path, tmp_path, {"train": ("train", np.array([0]))}, info(views=0))
    assert not list(tmp_path.iterdir())


def test_prepared_data_name_the_files_of_their_rows(extracted, tmp_path):
    """Training photos are followed by two copies each; a validation photo is one of train."""
    chosen = {
        "train": ("train", np.array([0, 2])),
        "validation": ("train", np.array([1])),
        "test": ("test", np.array([0])),
    }
    (tmp_path / "prepared").mkdir()
    index.carry(extracted, tmp_path / "prepared", chosen, info(views=2))
    with (tmp_path / "prepared" / index.FILE).open(encoding="utf-8", newline="") as file:
        rows = [(row["path"], row["split"], row["row"]) for row in csv.DictReader(file)]
    assert rows == [
        ("cat/a b.jpg", "train", "0"),
        ("dog/c.jpg", "train", "3"),
        ("cat/é,ü.jpg", "validation", "0"),
        ("dog/d.jpg", "test", "0"),
    ]


def test_rows_out_of_order(tmp_path):
    folder = write(tmp_path / "data", "a,cat,train,1,1,1", "b,cat,train,0,1,1")
    with pytest.raises(DataError, match=r"data/index\.csv: rows must be in their order; run"):
        list(index.rows(folder, "train"))


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda text: text.replace(b"split", b"slit"), 2),
        (lambda text: text.replace(b",train,1,", b",train,one,"), 3),
        (lambda text: text.replace(b"dog/c.jpg,dog,train,2,8,9", b"dog/c.jpg,dog,train,2"), 4),
        (lambda text: text.replace(b",8,9", b",8,9,10"), 4),
        (lambda text: text[: text.index(b"train")], 2),
    ],
    ids=["another column", "no number", "too few cells", "too many", "cut off"],
)
def test_a_damaged_index(extracted, damage, line):
    path = extracted / index.FILE
    path.write_bytes(damage(path.read_bytes()))
    message = rf"index\.csv: line {line}: must have .*, got \{{.*\}}; run the stage that writes it"
    with pytest.raises(DataError, match=message):
        list(index.rows(extracted, "train"))


def test_an_index_in_another_encoding(extracted):
    path = extracted / index.FILE
    path.write_text(path.read_text("utf-8"), "latin-1")
    with pytest.raises(DataError, match=r"index\.csv: line \d: .*can't decode .*; run the stage"):
        list(index.rows(extracted, "train"))


def test_an_index_of_fewer_images(extracted, tmp_path):
    chosen = {"test": ("test", np.array([0, 3]))}
    with pytest.raises(DataError, match=r"index\.csv: must have 4 rows of test or more, got fewer"):
        index.carry(extracted, tmp_path, chosen, info(views=0))
    assert not (tmp_path / index.FILE).exists()
