"""What scripts/ci.sh says of a change where there is no DVC remote, in clones without data."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import tiny_project
from tests.tiny_project import commit, dvc, environment, run

pytestmark = pytest.mark.slow

# In place of the tiny data set: the commit, as if both revisions made the same of it.
TINY = """\
import subprocess, sys
subprocess.run(["git", "clone", "--quiet", sys.path[0] + "/..", sys.argv[1]], check=True)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A project in which the one experiment `plain` has run."""
    folder = tmp_path_factory.mktemp("ci") / "trained"
    folder.mkdir()
    tiny_project.create_with_digits(folder)
    shutil.copytree(tiny_project.ROOT / "scripts", folder / "scripts")
    (folder / "scripts/tiny_revision.py").write_text(TINY)
    values = tiny_project.read_params(folder)
    del values["experiments"]["validated"], values["prepare"]["tiny6"]
    values["gate"] = yaml.safe_load((tiny_project.ROOT / "params.yaml").read_text())["gate"]
    tiny_project.write_params(folder, values)
    dvc(folder, "repro", "figures@plain")
    commit(folder, "Run")
    return folder


@pytest.fixture
def clone(trained, tmp_path) -> Path:
    run(tmp_path, "git", "clone", "--quiet", str(trained), "clone")
    return tmp_path / "clone"


def ci_gate(folder: Path) -> tuple[int, str]:
    """Run it, and return its exit code and the summary."""
    found = subprocess.run(
        ["scripts/ci.sh", "gate"], cwd=folder, env=environment(), capture_output=True, text=True
    )
    summary = folder / "ci-report/summary.md"
    assert summary.is_file(), found.stdout + found.stderr
    return found.returncode, summary.read_text()


def learn_slowly(folder: Path) -> None:
    values = tiny_project.read_params(folder)
    values["experiments"]["plain"]["train"]["learning_rate"] = 0.00001
    tiny_project.write_params(folder, values)
    commit(folder, "It learns nothing")


def steps(summary: str) -> list[str]:
    return re.findall(r"^\| (.+?) \| \d+ s \|$", summary, re.M)


def test_nothing_changed_and_nothing_is_run(clone):
    (clone / "README.md").write_text("Words.\n")
    commit(clone, "Words")

    code, summary = ci_gate(clone)

    assert code == 0
    assert summary.startswith("### imago gate: passed\n")
    for said in ("Nothing had to be run", "No metric changed.", "No figure changed."):
        assert said in summary
    assert steps(summary) == ["comparison"]


def test_what_changed_is_run_in_both_revisions(clone):
    learn_slowly(clone)

    code, summary = ci_gate(clone)

    assert code == 1
    assert "**regression**" in summary
    assert "- plain: run here, on the real data.\n" in summary
    row = r"\| metrics/plain.json +\| accuracy +\| [01]\.\d+ +\| 0\.\d+ +\| -0\.\d+ +\|"
    assert re.search(row, summary)
    assert re.search(r"experiments.plain.train.learning_rate +\| 0.01 +\| 1e-05 ", summary)
    assert "| plain | `reports/plain/figures/confusion.png` |" in summary
    assert steps(summary) == ["plain here", "plain in the base", "comparison"]


def test_a_project_in_a_folder_of_its_repository(trained, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(trained, whole / "ml", ignore=shutil.ignore_patterns(".git"))
    run(whole, "git", "init", "--quiet", "--initial-branch=main")
    commit(whole, "Run")
    learn_slowly(whole / "ml")

    code, summary = ci_gate(whole / "ml")

    assert code == 1
    assert "**regression**" in summary
    assert "| plain | `reports/plain/figures/confusion.png` |" in summary
    assert steps(summary) == ["plain here", "plain in the base", "comparison"]


def test_where_data_cannot_be_had_the_tiny_data_set_stands_for_them(clone):
    run(clone, "git", "rm", "-r", "--quiet", "published")
    learn_slowly(clone)

    code, summary = ci_gate(clone)

    assert code == 0
    assert "- The data of plain cannot be had here: the tiny data set stands for them.\n" in summary
    assert steps(summary) == ["plain here", "the base, tiny", "here, tiny", "comparison"]
