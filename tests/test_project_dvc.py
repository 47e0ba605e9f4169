"""What DVC and the clients of remotes raise, as one line."""

from pathlib import Path

import pytest
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_objects.fs.errors import AuthError

from imago import cli
from imago.core.errors import DataError, DvcError
from imago.project import dvc

COMMANDS = [["remote"], ["verify"], ["verify", "--remote"], ["check"]]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def last_line(capsys, *arguments):
    assert cli.main(arguments) != 0
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_outside_of_a_project(capsys, command):
    assert last_line(capsys, *command) == (
        f"imago {command[0]}: this folder must be a DVC project; run imago's commands in one"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_outside_of_git(here, capsys, command):
    Repo.init(str(here), no_scm=True).close()
    (here / ".dvc/config").write_text("")
    assert last_line(capsys, *command) == (
        f"imago {command[0]}: this folder must be in a git repository, as a clone is; run git init"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_config_that_dvc_cannot_read(here, capsys, command):
    Repo.init(str(here), no_scm=True).close()
    (here / ".dvc/config").write_text("[core\n")
    said = last_line(capsys, *command)
    assert said.startswith(f"imago {command[0]}: the DVC project cannot be opened: ")
    assert said.endswith("; mend .dvc/config or .git")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_repository_that_is_none(here, capsys, command):
    Repo.init(str(here), no_scm=True).close()
    (here / ".dvc/config").write_text("")
    (here / ".git").touch()
    said = last_line(capsys, *command)
    assert said.startswith(f"imago {command[0]}: the DVC project cannot be opened: ")
    assert said.endswith("; mend .dvc/config or .git")


@pytest.mark.parametrize("command", [["remote", "near"], ["verify"]], ids=" ".join)
def test_a_pipeline_that_dvc_cannot_read(here, capsys, command):
    Repo.init(str(here), no_scm=True).close()
    (here / "near").mkdir()
    (here / ".dvc/config").write_text(
        "[core]\n    no_scm = true\n['remote \"near\"']\n    url = ../near\n"
    )
    (here / "dvc.yaml").write_text("stages: [\n")
    said = last_line(capsys, *command)
    assert said.startswith(f"imago {command[0]}: unable to read: 'dvc.yaml'")
    assert said.endswith("; `dvc stage list` shows where")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DvcException("no\n  such thing"), "no such thing"),
        (AuthError("not you"), "not you"),
        (PermissionError(), "PermissionError"),
        (ImportError("an extra is missing"), "an extra is missing"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_one_line(error, line):
    with pytest.raises(DvcError, match=f"^the store: {line}; mend it$"):  # noqa: SIM117
        with dvc.one_line("the store", "mend it"):
            raise error
    with pytest.raises(DvcError, match=f"^{line}$"), dvc.one_line():
        raise error


def test_what_has_been_said_already_and_mistakes_of_the_code_pass():
    with pytest.raises(DataError, match=r"^said$"), dvc.one_line("the store"):
        raise DataError("said")
    with pytest.raises(KeyError), dvc.one_line("the store"):
        raise KeyError("mistake")


def test_a_command_that_fails(here):
    Repo.init(str(here), no_scm=True).close()
    with pytest.raises(DvcError, match=r"^dvc checkout nothing failed; its error is above$"):
        dvc.run("checkout", "nothing")
    with pytest.raises(DvcError, match=r"^Did you mean `git checkout nothing`\?"):
        dvc.run_silently("checkout", "nothing")


def test_params_that_dvc_cannot_read_are_told_by_check(here, capsys):
    Repo.init(str(here), no_scm=True).close()
    (here / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    Path("params.yaml").write_text("seed: [\n", "utf-8")
    Path("dvc.yaml").write_text("stages: {a: {cmd: 'echo ${seed}'}}\n", "utf-8")
    assert last_line(capsys, "verify").endswith("; `imago check` says where")
    assert "params.yaml: must be YAML: line 2" in last_line(capsys, "check")


@pytest.mark.parametrize("content", ["stages: [\n", "[1]\n"])
@pytest.mark.parametrize("command", ["verify", "tidy"])
def test_a_broken_lock_is_told_by_check(here, capsys, command, content):
    Repo.init(str(here), no_scm=True).close()
    (here / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    Path("params.yaml").write_text("seed: 1\n", "utf-8")
    Path("dvc.yaml").write_text("stages: {a: {cmd: 'echo ${seed}'}}\n", "utf-8")
    Path("dvc.lock").write_text(content, "utf-8")
    said = last_line(capsys, command)
    assert "dvc.lock" in said
    assert said.endswith("; `imago check` says what to do")


def test_a_lock_that_cannot_be_written_is_not_broken():
    full = OSError(28, "No space left on device", "dvc.lock")
    with pytest.raises(DvcError, match=r"No space left on device: 'dvc\.lock'$"), dvc.one_line():
        raise full
