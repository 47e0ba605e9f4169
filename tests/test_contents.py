import photo_archives
import pytest

from imago.core.errors import DataError
from imago.datasets.image_folder import contents


def counts(here, archives, table=None):
    paths = []
    for name, files in archives.items():
        paths.append(photo_archives.write(here / name, {file: file.encode() for file in files}))
    if table:
        (here / "labels.csv").write_text(table)
        paths.append(here / "labels.csv")
    with contents.opened(paths, "pets") as (archive, found):
        for path in found.places:
            assert path.endswith(archive.read(path).decode())
        return {name: dict(count) for name, count in found.counts().items()}


@pytest.mark.parametrize(
    ("archives", "found"),
    [
        pytest.param(
            {"train.zip": ["cat/1.jpg", "dog/1.jpg"], "test.zip": ["cat/1.jpg"]},
            {"cat": {"train": 1, "test": 1}, "dog": {"train": 1}},
            id="splits",
        ),
        pytest.param(
            {"cat.zip": ["1.jpg", "2.jpg"], "dog.zip": ["1.jpg"]},
            {"cat": {"train": 2}, "dog": {"train": 1}},
            id="classes",
        ),
        pytest.param(
            {"a.zip": ["cat/1.jpg", "dog/1.jpg"], "b.zip": ["cat/2.jpg", "dog/2.jpg"]},
            {"cat": {"train": 2}, "dog": {"train": 2}},
            id="parts",
        ),
        pytest.param(
            {"a.zip": ["x/cat/1.jpg", "x/dog/1.jpg"]},
            {"cat": {"train": 1}, "dog": {"train": 1}},
            id="one",
        ),
    ],
)
def test_several_archives(tmp_path, archives, found):
    assert counts(tmp_path, archives) == found


def test_a_table_says_what_is_what(tmp_path):
    archives = {"a.zip": ["images/1.jpg", "images/2.jpg"], "b.zip": ["more/3.jpg"]}
    table = "path,label,split\n1.jpg,cat,train\n2.jpg,dog,train\n3.jpg,dog,test\n"

    assert counts(tmp_path, archives, table) == {
        "cat": {"train": 1},
        "dog": {"train": 1, "test": 1},
    }


def test_one_path_in_two_archives(tmp_path):
    archives = {"a.zip": ["cat/1.jpg", "dog/1.jpg"], "b.zip": ["cat/1.jpg"]}
    with pytest.raises(DataError, match=r"pets: a path must be in one archive, got cat/1\.jpg in"):
        counts(tmp_path, archives)


@pytest.mark.parametrize("name", ["labels.xlsx", "labels.TXT", "labels.jsonl"])
def test_tables_that_are_not_read(tmp_path, name):
    message = rf"{name}: a table must be CSV, TSV, .*, got .*; save it as CSV"
    with pytest.raises(DataError, match=message):
        contents.told_apart([tmp_path / "photos", tmp_path / name])
