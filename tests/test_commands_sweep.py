"""`imago sweep` with DVC: on a toy whose stage only says that it trains, and on tiny data."""

import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from dvc.repo import Repo
from dvc.repo.experiments.queue.celery import LocalCeleryQueue

from imago import cli
from imago.core.errors import SweepError
from imago.data import writing
from imago.sweep import runs, trials
from tests import tiny_project
from tests.tiny_project import commit, dvc, environment, run

TOY_YAML = """\
stages:
  train:
    foreach: ${experiments}
    do:
      cmd: python train.py ${key}
      deps: [train.py]
      params: ["experiments.${key}.train"]
      outs: ["models/${key}"]
      plots:
        - reports/${key}/history.csv: {cache: false}
"""
TOY_TRAIN = """\
import pathlib, sys, yaml
name = sys.argv[1]
params = yaml.safe_load(pathlib.Path("params.yaml").read_text())
rate = params["experiments"][name]["train"]["learning_rate"]
for folder in ("models", f"reports/{name}"):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
pathlib.Path(f"models/{name}").write_text(str(rate))
pathlib.Path(f"reports/{name}/history.csv").write_text(
    "epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate\\n"
    f"1,1.0,0.5,{1 - rate},{rate * 40},{rate}\\n"
)
"""
TOY = "2nd-try"
"""Hydra's grammar, by which DVC's --set-param goes, knows no such name."""
GRID = ("learning_rate=0.00001,0.01", "hidden_units=[4],[16]")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project in which the experiment `validated` is trained."""
    folder = tmp_path_factory.mktemp("sweep")
    tiny_project.create_with_digits(folder)
    dvc(folder, "repro", "train@validated")
    commit(folder, "Train")
    return folder


def sweep(folder: Path, *arguments: str) -> str:
    return run(folder, sys.executable, "-m", "imago", "sweep", *arguments)


def rows(printed: str) -> list[list[str]]:
    """The cells of the table's lines."""
    table = printed.split("validation accuracy", 1)[1].split("\n\n")[0]
    return [re.split(r"  +", line.strip()) for line in table.splitlines()[1:]]


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A project whose variants `tiny6`, with validation images, and `tiny8` are prepared.

    Nothing has been trained: there is no dvc.lock.
    """
    folder = tmp_path / "Ann's projects"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    for role in ("AUTHOR", "COMMITTER"):  # trials need nobody whom git knows
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{what}", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = tiny_project.settings()
    settings["experiments"][TOY] = settings["experiments"].pop("validated")
    tiny_project.write_params(folder, settings)
    (folder / "dvc.yaml").write_text(TOY_YAML)
    (folder / "train.py").write_text(TOY_TRAIN)
    (folder / ".gitignore").write_text("/data\n/models\n/.imago\n")
    for variant, splits in (("tiny6", ("train", "validation")), ("tiny8", ("train",))):
        with writing.splits(folder / "data/prepared" / variant, ("a", "b"), (2, 2, 1)) as writer:
            for split in splits:
                writer.add(split, np.array([0, 1], np.int32), [np.zeros((2, 2, 2, 1), np.uint8)])
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    Repo.init(str(folder)).close()
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
    commit(folder, "Begin")
    return folder


def refusal(capsys, *arguments: str) -> str:
    """What a command that must fail at once says, in the process."""
    assert cli.main(["sweep", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_trials_run_once_and_the_best_is_applied(toy, capsys):
    before = (toy / "params.yaml").read_text()
    values = "learning_rate=0.01,0.02"
    assert cli.main(["sweep", TOY, values]) == 0
    printed = capsys.readouterr().out
    assert "2 trials to run, 0 there" in printed
    found = rows(printed)
    assert [(row[0], row[3]) for row in found] == [("80.00%", "0.02"), ("40.00%", "0.01")]
    assert f"dvc exp apply {found[0][-1]}\n" in printed
    assert run(toy, "git", "status", "--porcelain") == ""

    assert cli.main(["sweep", TOY, values, "--apply"]) == 0
    again = capsys.readouterr().out
    assert "to run" not in again
    assert rows(again) == found
    changed = zip(before.splitlines(), (toy / "params.yaml").read_text().splitlines(), strict=True)
    assert [(old.strip(), new.strip()) for old, new in changed if old != new] == [
        ("learning_rate: 0.01", "learning_rate: 0.02")
    ]
    assert (toy / "models" / TOY).read_text() == "0.02"


@pytest.mark.parametrize("option", ["--jobs=0", "--random=-1"])
def test_numbers_of_nothing(capsys, option):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["sweep", TOY, "epochs=1", option])
    assert "must be 1 or more, got " in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_an_experiment_without_validation_images_is_refused(capsys):
    assert refusal(capsys, "plain", "epochs=1,2") == (
        "imago sweep: plain: must have validation images to choose by, and prepared/tiny8 has "
        "none; give its variant a validation_fraction, and run `dvc repro train@plain`. "
        "The test images are not for choosing\n"
    )


@pytest.mark.usefixtures("toy")
def test_a_value_that_is_none_is_refused_before_anything_runs(capsys):
    assert refusal(capsys, TOY, "dropout=0.1,2.0") == (
        "imago sweep: dropout=2.0: experiments.2nd-try.train.dropout must be less than or equal to "
        "0.99, got 2.0\n"
    )


def test_changes_that_are_not_committed_are_refused(toy, capsys):
    params = toy / "params.yaml"
    params.write_text(params.read_text().replace("seed: 20", "seed: 21"))
    assert "files must be committed for trials to stand on them, got changes of params.yaml" in (
        refusal(capsys, TOY, "epochs=1")
    )


@pytest.mark.parametrize(
    ("path", "content", "line"),
    [
        (
            ".git/config",
            "[user]\n    name = Björn\n",
            ".git/config must be ASCII for DVC's queue, got Björn; write with `git "
            "config --global` what is not",
        ),
        (
            ".dvc/config.local",
            "[cache]\n    dir = /tmp/Björn\n",
            "the path of the DVC cache must be ASCII for DVC's queue, got "
            "/tmp/Björn; move the project",
        ),
        (
            ".dvc/config.local",
            "['remote \"ours\"']\n    url = ../Jürg\n",
            ".dvc/config.local must be ASCII for DVC's queue, got ../Jürg; write "
            "into .dvc/config what is not",
        ),
    ],
    ids=["git", "cache", "local"],
)
def test_what_would_hold_the_queue_up_for_ever_is_refused(toy, capsys, path, content, line):
    with (toy / path).open("a", encoding="utf-8") as file:
        file.write(content)
    assert cli.main(["sweep", TOY, "epochs=1"]) == 1
    assert capsys.readouterr().err == f"imago sweep: {line}\n"


@pytest.mark.slow
def test_a_grid_runs_once_and_its_best_is_applied(project):
    printed = sweep(project, "validated", *GRID)
    found = rows(printed)
    assert [row[3:5] for row in found[2:]] != [["0.01", "[16]"], ["0.01", "[4]"]]
    assert {tuple(row[3:5]) for row in found} == {
        (rate, units) for rate in ("1e-05", "0.01") for units in ("[4]", "[16]")
    }
    assert [row[3] for row in found] == ["0.01", "0.01", "1e-05", "1e-05"]
    assert f"dvc exp apply {found[0][-1]}\n" in printed
    assert run(project, "git", "status", "--porcelain") == ""

    again = sweep(project, "validated", *GRID, "--apply")
    assert "to run" not in again
    assert rows(again) == found
    train = tiny_project.read_params(project)["experiments"]["validated"]["train"]
    assert [str(train["learning_rate"]), str(train["hidden_units"])] == found[0][3:5]
    assert "Running stage" not in dvc(project, "repro", "train@validated")
    run(project, "git", "checkout", "--quiet", ".")


@pytest.mark.slow
def test_a_random_search_draws_by_the_seed(project):
    run(project, "git", "checkout", "--quiet", ".")
    values = ["learning_rate=0.001..0.02:log", "dropout=0.0..0.5", "momentum=null"]
    found = rows(sweep(project, "validated", *values, "--random", "3", "--jobs", "1"))
    rates = [float(row[3]) for row in found]
    assert len(set(rates)) == 3
    assert all(0.001 <= rate <= 0.02 for rate in rates)
    accuracies = [float(row[0].removesuffix("%")) for row in found]
    assert accuracies == sorted(accuracies, reverse=True)


@pytest.mark.usefixtures("toy")
def test_a_change_of_params_while_trials_are_queued_stays_and_is_said(monkeypatch):
    path, run_dvc = Path("params.yaml"), runs.dvc.run

    def edit(*words):
        run_dvc(*words)
        path.write_text(path.read_text().replace("seed: 20", "seed: 21"))

    assert "seed: 20" in path.read_text()
    monkeypatch.setattr(runs.dvc, "run", edit)
    with pytest.raises(SweepError, match=r"params\.yaml was changed while trials were put into"):
        runs.queue(TOY, {f"{TOY}-1": {"learning_rate": 0.001}, f"{TOY}-2": {"learning_rate": 1.0}})
    assert "seed: 21" in path.read_text()


def test_a_trial_of_other_values_than_its_name_says_is_refused(toy, monkeypatch, capsys):
    sweep(toy, TOY, "learning_rate=0.001")
    monkeypatch.setattr(trials, "says", lambda text, *_: "0.002" in text)
    said = refusal(capsys, TOY, "learning_rate=0.001")
    assert (
        "must have been made of learning_rate=0.001, and was not; `dvc exp remove 2nd-try-" in said
    )


@pytest.mark.parametrize(("value", "same"), [(0.001, True), (0.002, False)])
def test_what_a_text_says_of_a_trial(toy, value, same):
    text = trials.put_into(Path("params.yaml").read_text(), TOY, {"learning_rate": 0.001})
    assert trials.says(text, TOY, {"learning_rate": value}) is same


def test_trials_that_no_worker_runs_any_more_are_queued_again(toy, monkeypatch):
    """As after a power cut, over which DVC waits for ever."""
    called = []
    queue = LocalCeleryQueue
    name = trials.name(TOY, {"learning_rate": 0.001})
    monkeypatch.setattr(queue, "status", lambda _: [{"name": name, "status": "Running"}])
    monkeypatch.setattr(queue, "worker_status", lambda _: {})
    monkeypatch.setattr(runs.dvc, "run", lambda *words: called.append(words[:2]))
    runs.queue(TOY, {name: {"learning_rate": 0.001}})
    assert called == [("queue", "kill"), ("queue", "remove"), ("exp", "run")]
    monkeypatch.setattr(queue, "worker_status", lambda _: {"dvc-exp-1": []})
    runs.queue(TOY, {name: {"learning_rate": 0.001}})
    assert len(called) == 3
