"""What `dvc gc` would delete."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from imago import cli
from imago.project import tidy, yaml_text
from tests import echo_project


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    echo_project.create(folder)
    return folder


@pytest.fixture
def project(origin, tmp_path, monkeypatch):
    folder = shutil.copytree(origin, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def cached() -> set[Path]:
    return {path for path in Path(".dvc/cache/files").rglob("*") if path.is_file()}


def test_what_goes_is_what_dvc_deletes(project, capsys):
    echo_project.git(project, "branch", "kept")
    for rate in (0.02, 0.03):  # both are on this branch, of which the tip counts
        echo_project.put(project, "experiments.plain.train.learning_rate", rate)
        echo_project.run(project)
        echo_project.commit(project)
    echo_project.put(project, "experiments.validated.train.epochs", 3)
    echo_project.run(project)
    echo_project.git(project, "checkout", "--quiet", "dvc.lock", "metrics", "reports")
    before = cached()

    found = tidy.look()
    assert cli.main(["tidy"]) == 0

    said = capsys.readouterr().out
    assert tidy.COMMAND in said
    assert cached() == before
    assert {"models/plain", tidy.UNCOMMITTED} <= found.goes.keys()
    with Repo() as repo:
        repo.gc(workspace=True, all_branches=True, all_tags=True, all_experiments=True, force=True)
    assert len(before - cached()) == found.all_that_goes.files
    assert len(cached()) == found.kept.files
    assert sum(path.stat().st_size for path in cached()) == found.kept.byte_count
    assert tidy.look().goes == {}


def test_a_branch_whose_artifacts_are_not_here(project):
    """And an experiment that was never run."""
    lock = Path("dvc.lock")
    echo_project.git(project, "switch", "--quiet", "--create", "never-pulled")
    lock.write_text(re.sub(r"md5: \w{32}\.dir", f"md5: {'a' * 32}.dir", lock.read_text()))
    echo_project.commit(project)
    echo_project.git(project, "switch", "--quiet", "main")
    params = Path("params.yaml")
    block = yaml_text.entries(params.read_text())["experiments"]["plain"]
    new = block.replace("plain:", "new:")
    params.write_text(yaml_text.insert(params.read_text(), "experiments", new))

    done = subprocess.run(
        [sys.executable, "-m", "imago", "tidy"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("in use: ")


def test_a_fresh_project(project, capsys):
    assert cli.main(["tidy"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("in use: ")


def test_a_cache_that_other_projects_use_is_told(project, tmp_path, capsys):
    """What they keep there is not in use here, and the command would delete it."""
    shared = tmp_path / "shared"
    shutil.copytree(".dvc/cache", shared)
    (shared / "files/md5/ab").mkdir(exist_ok=True)
    (shared / "files/md5/ab" / ("c" * 30)).write_text("of another project")
    dvc = [sys.executable, "-m", "dvc", "cache", "dir", "--local", str(shared)]
    subprocess.run(dvc, check=True, capture_output=True)

    assert cli.main(["tidy"]) == 0

    said = capsys.readouterr().out
    assert f"{shared} lies outside of this project: what others keep there" in said
    assert f"{tidy.COMMAND} --projects FOLDER" in said
    assert tidy.UNCOMMITTED in tidy.look().goes
