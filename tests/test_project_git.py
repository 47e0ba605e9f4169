"""What git says, and how it is said that it fails; `imago gate` and `imago sweep` test the rest."""

import os
import subprocess

import pytest
from gate_project import PERSON

from imago.core.errors import GitError, SweepError
from imago.project import git
from imago.sweep import runs


@pytest.fixture(autouse=True)
def commit(tmp_path, monkeypatch):
    """Commits all files of an empty repository."""
    monkeypatch.chdir(tmp_path)
    for name, value in (os.environ | PERSON).items():
        monkeypatch.setenv(name, value)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], check=True)

    def commit():
        subprocess.run(["git", "add", "--all"], check=True)
        subprocess.run(["git", "commit", "--quiet", "--message", "One"], check=True)
        return git.head()

    return commit


def test_what_differs_from_a_commit(tmp_path, commit):
    (tmp_path / "a file").write_text("one")
    (tmp_path / "b").write_text("one")
    revision = commit()
    assert git.changed() == []
    assert not git.differs(revision, "a file", "b")

    (tmp_path / "b").write_text("two")
    (tmp_path / "untracked").touch()
    assert git.changed() == ["b"]
    assert git.differs(revision, "a file", "b")
    assert not git.differs(revision, "a file")
    assert git.differs(revision, "untracked")
    assert not git.differs(revision, "nowhere")


def test_a_name_with_letters_of_another_tongue_is_said_as_it_is(tmp_path, commit):
    (tmp_path / "ä b").write_text("one")
    commit()
    (tmp_path / "ä b").write_text("two")
    assert git.changed() == ["ä b"]


def test_a_file_of_a_commit(tmp_path, commit):
    (tmp_path / "a").write_text("one")
    revision = commit()
    (tmp_path / "a").unlink()
    assert git.read(revision, "a") == b"one"
    assert git.read(revision, "b") is None


def test_experiments_of_a_commit(tmp_path, commit):
    (tmp_path / "a").write_text("one")
    revision = commit()
    assert git.experiments(revision) == {}
    ref = f"refs/exps/{revision[:2]}/{revision[2:]}/puffy-fork"
    subprocess.run(["git", "update-ref", ref, revision], check=True)
    assert git.experiments(revision) == {"puffy-fork": revision}


def test_a_command_that_fails_is_an_error_with_what_git_says():
    with pytest.raises(GitError, match=r"^git rev-parse HEAD: fatal: "):
        git.head()


def test_what_git_says_in_several_lines_is_one(tmp_path, commit):
    with pytest.raises(GitError, match=r"^git rev-parse HEAD: fatal: [^\n]+$"):
        git.head()  # for there is no commit yet


def test_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitError, match=r"^git: not found; install it$"):
        git.commit("main")


def test_a_trial_without_a_history(tmp_path, commit):
    (tmp_path / "a").write_text("one")
    with pytest.raises(
        SweepError, match=r"^m-1: must have reports/m/history.csv, got none; dvc exp remove m-1 "
    ):
        runs.history("m", "m-1", commit())
