"""What a stage reads is that of dvc.lock, or it does not run."""

import copy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from imago.core import upstream
from imago.core.errors import DataError

PIPELINE = """
stages:
  write:
    cmd: mkdir -p made/below && echo one > made/a && echo two > made/below/b && echo three > single
    outs: [made, single]
  read:
    cmd: cat made/a single > read.txt
    deps: [made, single]
    outs: [read.txt]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ran")
    (folder / "dvc.yaml").write_text(PIPELINE)
    for words in (["init", "--no-scm", "--quiet"], ["repro", "--quiet"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(ran, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(ran, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("greatest", [upstream.GREATEST_READ_BYTES, 0])
@pytest.mark.usefixtures("project")
def test_what_was_written_is_read(greatest, monkeypatch):
    monkeypatch.setattr(upstream, "GREATEST_READ_BYTES", greatest)
    upstream.check("read")
    upstream.check("write")
    upstream.check("never ran")


def other_bytes():
    Path("made/a").write_text("ONE\n")


def other_size():
    Path("single").write_text("more than three\n")


def one_more():
    Path("made/empty").touch()


def one_less():
    Path("made/below/b").unlink()
    Path("made/a").write_text("one\ntwo\n")


@pytest.mark.parametrize("change", [other_bytes, other_size, one_more, one_less])
@pytest.mark.usefixtures("project")
def test_what_another_commit_wrote_is_refused(change):
    change()
    message = r"must be what write wrote, as dvc.lock says, and is of another commit, .*`dvc commit"
    with pytest.raises(DataError, match=message):
        upstream.check("read")
    upstream.check("write")


@pytest.mark.usefixtures("project")
def test_of_a_large_artifact_size_and_number_of_files_tell(monkeypatch):
    monkeypatch.setattr(upstream, "GREATEST_READ_BYTES", 0)
    other_bytes()
    upstream.check("read")
    one_more()
    with pytest.raises(DataError, match="made: must be what write wrote"):
        upstream.check("read")
    Path("made/empty").unlink()
    other_size()
    with pytest.raises(DataError, match="single: must be what write wrote"):
        upstream.check("read")


@pytest.mark.usefixtures("project")
def test_what_a_system_leaves_does_not_count():
    Path("made/.DS_Store").touch()
    Path("made/below/Thumbs.db").touch()
    upstream.check("read")


@pytest.mark.usefixtures("project")
def test_a_stage_that_is_no_more_has_no_say():
    """As where it was renamed: its record stays, and is of what it once wrote."""
    path = Path("dvc.lock")
    lock = yaml.safe_load(path.read_text())
    old = copy.deepcopy(lock["stages"]["write"])
    for out in old["outs"]:
        out["size"] += 1
    lock["stages"] = {"old": old, **lock["stages"], "older": old}
    path.write_text(yaml.safe_dump(lock, sort_keys=False))
    upstream.check("read")

    other_bytes()
    with pytest.raises(DataError):
        upstream.check("read")


@pytest.mark.usefixtures("project")
def test_a_stage_that_is_run_from_a_folder_below():
    other_bytes()
    with pytest.raises(DataError, match="made: must be what write wrote"):
        upstream.check("../dvc.yaml:read")


@pytest.mark.parametrize("content", [None, b"", b"stages: [", b"schema: '2.0'\n"])
@pytest.mark.usefixtures("project")
def test_a_lock_that_is_none_says_nothing(content):
    other_bytes()
    Path("dvc.lock").unlink()
    if content is not None:
        Path("dvc.lock").write_bytes(content)
    upstream.check("read")


@pytest.mark.usefixtures("project")
def test_what_is_not_there_is_for_dvc_to_fetch():
    shutil.rmtree("made")
    upstream.check("read")
