import csv
import errno
import math
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from imago.core import files

pytestmark = pytest.mark.fault


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_appears_at_the_end(tmp_path):
    path = tmp_path / "sub/folder/report.txt"

    with files.replacing(path) as temporary:
        temporary.write_text("new", "utf-8")
        assert path.parent in temporary.parents  # a rename across file systems is no rename
        assert not path.exists()

    assert path.read_text("utf-8") == "new"
    assert names(path.parent) == ["report.txt"]


def test_file_is_replaced_at_the_end(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text("old", "utf-8")

    with files.replacing(path) as temporary:
        temporary.write_text("new", "utf-8")
        assert path.read_text("utf-8") == "old"

    assert path.read_text("utf-8") == "new"
    assert names(tmp_path) == ["report.txt"]


def test_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old", "utf-8")

    with files.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "new").write_text("new", "utf-8")
        assert names(path) == ["old"]

    assert names(path) == ["new"]
    assert names(tmp_path) == ["model"]


def test_file_replaces_a_folder(tmp_path):
    path = tmp_path / "model"
    (path / "sub").mkdir(parents=True)

    with files.replacing(path) as temporary:
        temporary.write_text("new", "utf-8")

    assert path.read_text("utf-8") == "new"
    assert names(tmp_path) == ["model"]


def test_folder_replaces_a_file(tmp_path):
    path = tmp_path / "model"
    path.write_text("old", "utf-8")

    with files.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "new").write_text("new", "utf-8")
        assert path.read_text("utf-8") == "old"

    assert names(path) == ["new"]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("write", [pathlib.Path.mkdir, pathlib.Path.touch], ids=["folder", "file"])
@pytest.mark.parametrize("target", ["folder", "gone"])
def test_link_is_replaced_and_its_target_stays(tmp_path, target, write):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/old").write_text("old", "utf-8")
    path = tmp_path / "model"
    path.symlink_to(target)

    with files.replacing(path) as temporary:
        write(temporary)

    assert not path.is_symlink()
    assert path.is_dir() == (write is pathlib.Path.mkdir)
    assert names(tmp_path / "folder") == ["old"]
    assert names(tmp_path) == ["folder", "model"]


class Failure(Exception):
    """What goes wrong while a file is written."""


def write_half_a_file(path):
    with files.replacing(path) as temporary:
        temporary.write_text("half", "utf-8")
        raise Failure


def write_nothing(path):
    with files.replacing(path):
        pass


def write_half_a_folder(path):
    with files.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "half").write_text("half", "utf-8")
        raise Failure


def test_failure_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text("old", "utf-8")

    with pytest.raises(Failure):
        write_half_a_file(path)

    assert path.read_text("utf-8") == "old"
    assert names(tmp_path) == ["report.txt"]


def test_failure_leaves_the_old_folder_and_no_litter(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old", "utf-8")

    with pytest.raises(Failure):
        write_half_a_folder(path)

    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("write", [pathlib.Path.mkdir, pathlib.Path.touch], ids=["folder", "file"])
def test_writing_nothing_is_a_failure_and_leaves_the_old(tmp_path, write):
    path = tmp_path / "model"
    write(path)

    with pytest.raises(FileNotFoundError, match=rf"\A{path}: nothing was written\Z"):
        write_nothing(path)

    assert path.is_dir() == (write is pathlib.Path.mkdir)
    assert names(tmp_path) == ["model"]


def test_failure_before_anything_is_written(tmp_path):
    with pytest.raises(Failure), files.replacing(tmp_path / "report.txt"):
        raise Failure

    assert names(tmp_path) == []


def write_folder(path):
    with files.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()


KILLED = """
import os, pathlib, signal, sys
from imago.core import files
with files.replacing(pathlib.Path(sys.argv[1])) as temporary:
    temporary.mkdir()
    (temporary / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_leaves_is_removed(tmp_path):
    path = tmp_path / "mod[e]l"  # whose name is no pattern
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    (litter,) = tmp_path.iterdir()
    assert (litter / path.name / "half").is_file()

    with files.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "new").write_text("new", "utf-8")

    assert names(path) == ["new"]
    assert names(tmp_path) == [path.name]


def test_what_a_killed_process_leaves_is_not_taken_for_what_was_written(tmp_path):
    path = tmp_path / "model"
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)

    with pytest.raises(FileNotFoundError, match="nothing was written"):
        write_nothing(path)

    assert names(tmp_path) == []


def test_two_writers_do_not_mix(tmp_path):
    path = tmp_path / "model"

    with files.replacing(path) as first:
        first.mkdir()
        (first / "one").write_text("first", "utf-8")
        with files.replacing(path) as second:
            second.mkdir()
            (second / "one").write_text("second", "utf-8")
        assert (path / "one").read_text("utf-8") == "second"
        (first / "two").write_text("first", "utf-8")

    assert {one.name: one.read_text("utf-8") for one in path.iterdir()} == {
        "one": "first",
        "two": "first",
    }
    assert names(tmp_path) == ["model"]


def test_many_writers_at_a_time_all_come_to_an_end(tmp_path):
    path = tmp_path / "model"

    def write(number):
        for _ in range(40):
            with files.replacing(path) as temporary:
                temporary.mkdir()
                for name in ("one", "two"):
                    (temporary / name).write_text(str(number), "utf-8")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    assert len({one.read_text("utf-8") for one in path.iterdir()}) == 1
    assert names(path) == ["one", "two"]
    assert names(tmp_path) == ["model"]


def test_a_folder_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    rename = pathlib.Path.replace

    def fail(self, target):
        if self.name == target.name and self.parent != target.parent and "new" in names(self):
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(pathlib.Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_folder(path)

    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]


def test_json_round_trip(tmp_path):
    path = tmp_path / "metrics" / "tiny.json"
    value = {"accuracy": 0.1 + 0.2, "examples": 3, "classes": ["Füchse", "犬", "🦉"], "none": None}

    files.write_json(path, value)

    assert files.read_json(path) == value
    assert list(files.read_json(path)) == list(value)


@pytest.mark.parametrize("content", [b"", b"\xff", b"<<<<<<< ours\n{}\n"])
def test_a_file_that_is_no_json_is_named(tmp_path, content):
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"/card\.json: must be JSON: "):
        files.read_json(path)


def test_json_is_readable(tmp_path):
    path = tmp_path / "classes.json"

    files.write_json(path, {"name": "Füchse", "count": 2})

    assert path.read_bytes() == '{\n  "name": "Füchse",\n  "count": 2\n}\n'.encode()


def test_json_that_cannot_be_written_leaves_the_old(tmp_path):
    path = tmp_path / "metrics.json"
    files.write_json(path, {"loss": 1.0})

    with pytest.raises(TypeError, match="float32"):
        files.write_json(path, {"accuracy": 0.5, "loss": np.float32(0.5)})

    assert files.read_json(path) == {"loss": 1.0}
    assert names(tmp_path) == ["metrics.json"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_has_no_word_for_these(tmp_path, value):
    path = tmp_path / "metrics.json"
    files.write_json(path, {"loss": 1.0})

    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"accuracy": 0.5, "loss": value})

    assert files.read_json(path) == {"loss": 1.0}
    assert names(tmp_path) == ["metrics.json"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_of_a_csv_read_back_equal(tmp_path, dtype):
    path = tmp_path / "table.csv"
    random = np.random.default_rng(4)
    values = np.concatenate([random.random(1000), 10 ** random.uniform(-30, 30, 1000)])
    values = values.astype(dtype)

    files.write_csv(path, pd.DataFrame({"value": values}))

    with path.open(encoding="utf-8", newline="") as file:
        found = [float(row["value"]) for row in csv.DictReader(file)]
    np.testing.assert_array_equal(np.array(found, dtype), values)


def test_csv_text(tmp_path):
    path = tmp_path / "table.csv"
    table = pd.DataFrame(
        {
            "class": ["T-shirt, top", "Füchse"],
            "share": np.array([0.1, 1 / 3], np.float32),
            "loss": [0.1, None],
            "count": [1, 2],
        },
        index=[7, 8],
    )

    files.write_csv(path, table)

    assert path.read_bytes().decode("utf-8") == (
        'class,share,loss,count\n"T-shirt, top",0.1,0.1,1\nFüchse,0.33333334,,2\n'
    )
    assert names(tmp_path) == ["table.csv"]


def test_the_bytes_of_a_folder_are_those_of_its_files(tmp_path):
    (tmp_path / "one/below").mkdir(parents=True)
    (tmp_path / "one/a").write_bytes(b"123")
    (tmp_path / "one/below/b").write_bytes(b"4567")

    assert files.byte_count(tmp_path / "one") == 7
    assert files.byte_count(tmp_path / "one/a") == 3
