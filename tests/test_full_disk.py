"""A disk that is full, in each stage: one line that names the file, and the next run goes through.

Stands for it: a bound on the bytes of a file, which needs no disk of its own. Libraries raise the
same for both, but for the number.
"""

import contextlib
import errno
import os
import resource
from importlib import import_module
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf

from imago import figures
from imago.core import files, paths, registry
from imago.core.errors import DiskFullError
from imago.sources import downloads
from tests import flaky_server, tiny_project
from tests.trees import contents

pytestmark = pytest.mark.fault

STAGES = {
    "fetch photos": Path("data/raw/photos"),
    "fetch tiny": Path("data/raw/tiny"),
    "extract photos": Path("data/extracted/photos"),
    "extract tiny": Path("data/extracted/tiny"),
    "prepare photos32": Path("data/prepared/photos32"),
    "prepare tiny8": Path("data/prepared/tiny8"),
    "preview tiny8": Path("reports/variants/tiny8.png"),
    "train plain": paths.model("plain"),
    "evaluate plain": paths.predictions("plain"),
    "export plain": paths.export("plain"),
    "figures plain": paths.figures("plain"),
    "report plain": paths.page("plain"),
    "overview": paths.overview(),
}
"""Of each stage what it writes, in an order in which they can be run."""
REMEDY = "make space, and do the same again"


def run(stage):
    name, *words = stage.split()
    import_module(f"stages.{name}").main(*words)


@contextlib.contextmanager
def disk_with(bytes_):
    """Let no file become larger, in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def written(out):
    """Of an export the names alone: TensorFlow counts all that one process has made."""
    if out == paths.export("plain"):
        return sorted(contents(out))
    return contents(out) if out.is_dir() else out.read_bytes()


def litter(folder):
    return [path for path in folder.rglob(".*.part") if ".git" not in path.parts]


@pytest.fixture(scope="module", autouse=True)
def few_figures():
    """A stage that draws two of them, for it is run again and again."""
    names = registry.names
    with pytest.MonkeyPatch.context() as patch:
        few = {figures: ["curves", "samples"]}
        patch.setattr(registry, "names", lambda package: few.get(package) or names(package))
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    values = tiny_project.settings_with_photos()
    formats = {"formats": ["saved_model", "litert", "onnx"]}
    values["exports"] = values["exports"] | {
        tiny_project.EXPORT: tiny_project.EXPORTS[tiny_project.EXPORT] | formats
    }
    values["experiments"]["plain"]["train"] |= {"epochs": 1, "jit_compile": False}
    tiny_project.create_with_digits(folder, values)
    (folder / "published" / tiny_project.PHOTOS).write_bytes(tiny_project.photos_zip())
    with contextlib.chdir(folder):
        for stage in STAGES:
            run(stage)
    return folder


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_what_it_cannot_write(project, stage, monkeypatch):
    monkeypatch.chdir(project)
    out = STAGES[stage]
    if stage in ("report plain", "overview"):  # which show the size of an export made anew
        run(stage)
    whole = written(out)
    sizes = [path.stat().st_size for path in (out, *out.rglob("*")) if path.is_file()]
    for room in (16, max(sizes) // 2):
        files.remove(out)
        if stage.startswith("fetch"):
            files.remove(paths.downloads())
        with disk_with(room), pytest.raises(DiskFullError) as raised:
            run(stage)
        said = str(raised.value)
        assert said.endswith(
            ": cannot be written: File too large; make space, and do the same again"
        )
        assert ".part/" not in said
        assert "\n" not in said
        assert not out.exists()
        assert litter(project) == []
    run(stage)
    assert written(out) == whole


def test_a_download_names_what_it_cannot_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with flaky_server.serving() as server:
        server.files["/file"] = bytes(100_000)
        line = r"^\.imago/downloads/parts/\w+\.part: cannot be written: File too large; make space"
        with disk_with(1000), pytest.raises(DiskFullError, match=line):
            downloads.fetch(f"{server.url}/file", None, pytest.fail, "file")


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file["numbers"] = np.zeros(100_000)


def write_tensorflow(path):
    tf.io.write_file(str(path), b"0" * 100_000)


def write_plainly(path):
    path.write_bytes(b"0" * 100_000)


@pytest.mark.parametrize("write", [write_hdf5, write_tensorflow, write_plainly])
def test_each_library_is_understood(tmp_path, write):
    with (
        disk_with(1000),
        pytest.raises(DiskFullError, match=r"/one: cannot be written: File too large; make space"),
        files.replacing(tmp_path / "one") as temporary,
    ):
        write(temporary)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_what_the_system_says_is_told(tmp_path, number):
    with (
        pytest.raises(DiskFullError, match=f"{os.strerror(number)}; make space"),
        files.replacing(tmp_path / "one"),
    ):
        raise OSError(number, os.strerror(number))


def test_other_failures_stay_as_they_are(tmp_path):
    with pytest.raises(OSError, match="Input/output") as raised, files.replacing(tmp_path / "one"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    assert not isinstance(raised.value, DiskFullError)
