"""Experiments taken out and renamed, with all that came of them."""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from imago import cli, params
from imago.core import paths
from imago.core.errors import DvcError, ParamsError
from imago.project import check, remove, rename
from tests import echo_project


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    echo_project.create(folder)
    return folder


@pytest.fixture
def project(origin, tmp_path, monkeypatch):
    """A copy to be changed, in which the command is run."""
    folder = tmp_path / "project"
    shutil.copytree(origin, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def files(folder):
    """All but what git and DVC have for themselves."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", ".dvc"} & set(path.relative_to(folder).parts)
    }


def test_what_is_removed(project):
    before = files(project)
    state = paths.training_state("validated", "1")
    state.mkdir(parents=True)

    removed = remove.experiment("validated")

    assert removed.entries == ["prepare.tiny6", "experiments.validated"]
    gone = {
        "models/validated",
        "predictions/validated.parquet",
        "metrics/validated.json",
        "reports/validated/history.csv",
        "reports/cards/validated.json",
    }
    assert before - files(project) == gone
    assert {str(path) for path in removed.artifacts} == gone
    assert not state.parent.exists()
    assert "validated" not in Path("dvc.lock").read_text()
    assert list(params.load().experiments) == ["plain"]
    assert list(params.load().datasets) == ["tiny"]  # which the other needs


def test_the_overview_forgets_it_and_the_rest_is_current(project, capsys):
    assert "0.01" in Path("reports/curves.csv").read_text()
    assert cli.main(["remove", "validated"]) == 0

    assert "validated" not in Path("reports/curves.csv").read_text()
    assert check.staleness().reasons == {}
    assert "prepare.tiny6, experiments.validated" in capsys.readouterr().out
    echo_project.run(project)
    assert echo_project.trainings(project) == ["plain 0.01 8", "validated 0.01 8"]


def test_what_was_removed_comes_back_from_git_and_the_cache(project):
    remove.experiment("validated")
    echo_project.git(project, "checkout", "--quiet", ".")
    echo_project.run(project)
    assert echo_project.trainings(project) == ["plain 0.01 8", "validated 0.01 8"]
    assert Path("models/validated").is_file()


def test_a_removal_that_was_stopped_is_done_again(project, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("imago.core.files.write_text", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            remove.experiment("validated")
    assert "validated" in params.load().experiments
    remove.experiment("validated")
    assert "validated" not in params.load().experiments
    assert check.staleness().reasons.keys() == {"overview"}


def test_an_experiment_whose_values_another_one_repeats(project, capsys):
    text = Path("params.yaml").read_text()
    values = iter(("batch_size: &many 8", "batch_size: *many"))
    aliased = re.sub(r"batch_size: \d+", lambda _: next(values), text)
    Path("params.yaml").write_text(aliased)
    names = list(params.load().experiments)
    before = files(project)

    assert cli.main(["remove", names[0]]) == 1

    said = f"params.yaml without {names[0]}: must be YAML: "
    assert capsys.readouterr().err.startswith(f"imago remove: {said}")
    assert files(project) == before
    assert Path("params.yaml").read_text() == aliased


def test_the_last_one(project):
    paths.listing("tiny").parent.mkdir()
    paths.listing("tiny").touch()
    remove.experiment("validated")
    assert paths.listing("tiny").exists()  # of a data set that the other needs
    remove.experiment("plain")
    assert not paths.listing("tiny").exists()
    text = Path("params.yaml").read_text()
    assert "experiments: {}\n" in text
    assert "datasets: {}\n" in text
    assert "data/extracted/tiny" not in Path("dvc.lock").read_text()


@pytest.mark.usefixtures("project")
def test_decisions_stay_and_are_said(monkeypatch, capsys):
    monkeypatch.setattr(remove, "renew_overview", lambda: False)
    decided = paths.decisions("tiny")
    decided.parent.mkdir()
    decided.write_text("photo,decision,label,why\n")

    assert cli.main(["remove", "validated", "plain"]) == 0

    assert decided.exists()
    assert f"{decided} stays, with what was decided" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["remove", "none"], ["rename", "none", "some"]], ids=" ".join)
def test_no_such_experiment(project, capsys, command):
    assert cli.main(command) == 1
    assert capsys.readouterr().err == (
        f"imago {command[0]}: unknown experiment 'none'; params.yaml has plain, validated\n"
    )


def test_nothing_is_trained_for_a_new_name(project, capsys):
    scores = Path("metrics/plain.json").read_text()
    assert cli.main(["rename", "plain", "Größe"]) == 0

    assert "dvc repro report@Größe\n" in capsys.readouterr().out
    assert check.staleness().reasons.keys() == {"report@Größe", "overview"}
    echo_project.run(project)
    assert echo_project.trainings(project) == ["plain 0.01 8", "validated 0.01 8"]
    assert Path("metrics/Größe.json").read_text() == scores
    assert Path("reports/cards/Größe.json").read_text() == f"Größe\n{scores}"
    assert not [name for name in files(project) if "plain" in name]
    assert "plain" not in Path("dvc.lock").read_text()
    assert Path("reports/curves.csv").read_text().startswith("Größe")


def test_dvc_records_the_same_for_the_new_name(project):
    rename.experiment("plain", "other")
    echo_project.run(project)
    renamed = Path("dvc.lock").read_text()
    trained = len(echo_project.trainings(project))

    with Repo() as repo:
        repo.reproduce(["train@other", "evaluate@other"], force=True)

    assert len(echo_project.trainings(project)) == trained + 1
    assert Path("dvc.lock").read_text() == renamed


def test_a_rename_without_data(project):
    echo_project.git(project, "clone", "--quiet", ".", "clone")
    with contextlib.chdir("clone"):
        rename.experiment("plain", "other")
        assert check.staleness().reasons.keys() == {"report@other", "overview"}
        assert Path("metrics/other.json").is_file()


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("validated", "experiments has an entry validated already"),
        ("a/b", "experiments.a/b must be a name"),
        ("cards", "experiments must not have the name cards"),
    ],
)
def test_a_name_that_cannot_be(project, new, message):
    before = files(project), Path("params.yaml").read_text()
    with pytest.raises(ParamsError, match=message):
        rename.experiment("plain", new)
    assert (files(project), Path("params.yaml").read_text()) == before


@pytest.mark.parametrize(
    "act", [lambda: remove.experiment("plain"), lambda: rename.experiment("plain", "x")]
)
def test_nothing_goes_while_dvc_is_at_work(project, act):
    before = Path("params.yaml").read_text()
    by = {"pid": os.getpid(), "cmd": "dvc repro"}
    paths.RWLOCK.parent.mkdir(parents=True, exist_ok=True)
    paths.RWLOCK.write_text(json.dumps({"write": {}, "read": {"data": [by]}}))
    with pytest.raises(DvcError, match=f"process {os.getpid()} of DVC is at work; wait until"):
        act()
    assert Path("params.yaml").read_text() == before
    paths.RWLOCK.write_text(json.dumps({"write": {"models": by | {"pid": 2**22 + 7}}, "read": {}}))
    act()
