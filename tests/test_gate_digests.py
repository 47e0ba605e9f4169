"""Nothing changed where both revisions have the same predictions: it takes no data to see it."""

import json
import subprocess

import numpy as np
import pytest
from gate_project import Project, answers, labels, table

from imago import cli

TRUTH = labels(20)
BASE = table(TRUTH, answers(TRUTH, np.arange(20)))
WORSE = table(TRUTH, answers(TRUTH, np.arange(60)))
FLOORS = {"digits": 0.6, "letters": 0.6}
CONTRADICTION = "metrics differ from the base, though the predictions are the same: a contradiction"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("template"))
    project.settings(FLOORS)
    for name in FLOORS:
        project.evaluate(name, BASE, macro_f1=0.9)
    project.commit("Base")
    return project


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """A clone without any data."""
    subprocess.run(["git", "clone", "--quiet", template.folder, tmp_path], check=True)
    (tmp_path / "predictions").mkdir()
    monkeypatch.chdir(tmp_path)
    copy = Project.__new__(Project)
    copy.folder = tmp_path
    return copy


@pytest.fixture
def found(capsys):
    """Compare with the commit, and return the exit code and what was found of each experiment."""

    def run(*arguments):
        code = cli.main(["gate", "--json", "--base", "HEAD", *arguments])
        said = json.loads(capsys.readouterr().out)
        return code, {one["experiment"]: one for one in said["experiments"]}

    return run


def write_metrics(project, **metrics):
    (project.folder / "metrics/digits.json").write_text(json.dumps(metrics))


@pytest.mark.parametrize("revision", [(), ("HEAD",)], ids=["working tree", "commit"])
def test_an_untouched_clone_without_data(project, found, revision):
    code, said = found(*revision)

    assert code == 0
    for one in said.values():
        assert (one["verdict"], one["notes"], one["recorded"]) == ("no change", [], [])
        values = [(tested["metric"], tested["base"], tested["here"]) for tested in one["metrics"]]
        assert values == [("accuracy", 0.9, 0.9), ("macro_f1", 0.9, 0.9)]
        assert [(floor["value"], floor["is_met"]) for floor in one["floors"]] == [(0.9, True)]


def test_its_table(project, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    assert cli.main(["gate", "--base", "HEAD"]) == 0

    rows = [line for line in capsys.readouterr().out.splitlines() if "accuracy" in line]
    assert [[cell.strip() for cell in row.split("│")[1:-1]] for row in rows] == [
        [name, "accuracy", "90.00 %", "90.00 %", "+0.00", "", "", "60.00 %", "no change"]
        for name in FLOORS
    ]


def test_the_experiment_that_ran_is_gated_alone(project, found):
    project.evaluate("digits", BASE)  # so that the cache has the base's
    project.evaluate("digits", WORSE)

    code, said = found()

    assert code == 1
    assert said["digits"]["verdict"] == "regression"
    assert said["letters"]["verdict"] == "no change"


def test_a_floor_holds_without_predictions(project, found):
    project.settings(FLOORS | {"digits": 0.95})

    code, said = found()

    assert (code, said["digits"]["verdict"], said["letters"]["result"]) == (1, "no change", "pass")
    assert said["digits"]["floors"][0]["is_met"] is False


@pytest.mark.parametrize(
    ("lost", "verdict", "code"), [("here", "missing", 1), ("base", "could not compare", 2)]
)
def test_metrics_changed_and_predictions_cannot_be_had(project, found, capsys, lost, verdict, code):
    project.evaluate("digits", WORSE, macro_f1=0.7)
    if lost == "here":
        (project.folder / "predictions/digits.parquet").unlink()
        subprocess.run(["rm", "-r", project.folder / ".dvc/cache"], check=True)

    found_code, said = found()

    assert (said["digits"]["verdict"], found_code) == (verdict, code)
    assert said["digits"]["recorded"] == [
        {"metric": "accuracy", "base": 0.9, "here": 0.7},
        {"metric": "macro_f1", "base": 0.9, "here": 0.7},
    ]
    (note,) = said["digits"]["notes"]
    assert note.startswith("predictions/digits.parquet ")
    assert "is missing: not in the DVC cache" in note
    assert "dvc repro evaluate@digits`" in note
    cli.main(["gate", "--base", "HEAD", "--md"])
    assert "| digits | accuracy | 90.00 % | 70.00 % | -20.00 |" in capsys.readouterr().out


def test_other_metrics_of_the_same_predictions_without_data(project, found):
    write_metrics(project, accuracy=0.95, macro_f1=0.9)

    code, said = found()

    assert (said["digits"]["verdict"], code) == ("missing", 1)
    assert said["digits"]["recorded"] == [{"metric": "accuracy", "base": 0.9, "here": 0.95}]
    missing, contradiction = said["digits"]["notes"]
    assert missing.startswith("predictions/digits.parquet is missing: ")
    assert contradiction.startswith(CONTRADICTION)


def test_metrics_that_were_edited(project, found):
    project.evaluate("digits", BASE, macro_f1=0.9)
    write_metrics(project, accuracy=0.9, macro_f1=0.97)

    code, said = found()

    assert (said["digits"]["verdict"], code) == ("missing", 1)
    edited, contradiction = said["digits"]["notes"]
    assert edited == (
        "metrics/digits.json must be the one that dvc.lock names, got another; "
        "run `dvc repro evaluate@digits`"
    )
    assert contradiction.startswith(CONTRADICTION)


def test_a_metric_that_is_computed_in_another_way_is_said_and_passes(project, found):
    project.evaluate("digits", BASE, macro_f1=0.89)

    code, said = found()

    assert (said["digits"]["verdict"], code) == ("no change", 0)
    assert said["digits"]["recorded"] == [{"metric": "macro_f1", "base": 0.9, "here": 0.89}]
    (note,) = said["digits"]["notes"]
    assert note.startswith(CONTRADICTION)


def test_a_metric_that_is_new_and_last_digits_are_no_contradiction(project, found):
    write_metrics(project, accuracy=0.9, macro_f1=0.9 + 1e-9, loss=0.3)

    code, said = found()

    assert (code, said["digits"]["notes"], said["digits"]["recorded"]) == (0, [], [])


def test_predictions_here_that_are_not_those_of_the_lock_are_compared(project, found):
    project.evaluate("digits", BASE, macro_f1=0.9)
    WORSE.to_parquet(project.folder / "predictions/digits.parquet")
    write_metrics(project, accuracy=0.7, macro_f1=0.7)

    code, said = found()

    assert (said["digits"]["verdict"], code) == ("regression", 1)
    assert said["digits"]["notes"] == ["the predictions here are not those that dvc.lock names"]


def test_one_experiment_alone(project, found, capsys):
    write_metrics(project, accuracy=0.95)

    code, said = found("--experiment", "letters")

    assert (code, list(said)) == (0, ["letters"])
    assert cli.main(["gate", "--base", "HEAD", "--experiment", "cats"]) == 2
    assert capsys.readouterr().err == (
        "imago gate: unknown experiment 'cats'; there are digits, letters\n"
    )
