"""`imago sweep` with DVC, on a tiny data set."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_project
from tests.tiny_project import commit, dvc, environment, run

pytestmark = pytest.mark.slow

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


def refused(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "imago", "sweep", *arguments]
    found = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    return found.stderr


def rows(printed: str) -> list[list[str]]:
    """The cells of the table's lines."""
    table = printed.split("validation accuracy", 1)[1].split("\n\n")[0]
    return [re.split(r"  +", line.strip()) for line in table.splitlines()[1:]]


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


def test_a_random_search_draws_by_the_seed(project):
    run(project, "git", "checkout", "--quiet", ".")
    values = ["learning_rate=0.001..0.02:log", "dropout=0.0..0.5", "momentum=null"]
    found = rows(sweep(project, "validated", *values, "--random", "3", "--jobs", "1"))
    rates = [float(row[3]) for row in found]
    assert len(set(rates)) == 3
    assert all(0.001 <= rate <= 0.02 for rate in rates)
    accuracies = [float(row[0].removesuffix("%")) for row in found]
    assert accuracies == sorted(accuracies, reverse=True)


def test_an_experiment_without_validation_images_is_refused(project):
    dvc(project, "repro", "prepare@tiny8")
    commit(project, "Prepare")
    assert refused(project, "plain", "epochs=1,2") == (
        "imago sweep: plain: must have validation images to choose by, and prepared/tiny8 has "
        "none; give its variant a validation_fraction. The test images are not for choosing\n"
    )


def test_a_value_that_is_none_is_refused_before_anything_runs(project):
    said = refused(project, "validated", "dropout=0.1,2.0")
    assert said == (
        "imago sweep: dropout=2.0: experiments.validated.train.dropout must be less than 1, got "
        "2.0\n"
    )


def test_changes_that_are_not_committed_are_refused(project):
    params = project / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("seed: 20", "seed: 21"))
    said = refused(project, "validated", "epochs=1")
    params.write_text(before)
    assert "files must be committed for trials to stand on them, got changes of params.yaml" in said
