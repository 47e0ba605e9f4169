"""Predictions that an earlier version wrote as CSV are compared with those of this one."""

import json

import numpy as np
import pytest
from gate_project import DVC_YAML, Project, answers, labels, table

from imago import cli

TRUTH = labels(40)
BASE = table(TRUTH, answers(TRUTH, np.arange(20)))
WORSE = table(TRUTH, answers(TRUTH, np.arange(80)))
FORMER = DVC_YAML.replace(".parquet", ".csv")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The base is of the earlier version, and evaluated here again."""
    project = Project(tmp_path)
    (tmp_path / "dvc.yaml").write_text(FORMER)
    project.settings({"digits": 0.5})
    project.evaluate("digits", BASE)
    project.commit("Base")
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    monkeypatch.chdir(tmp_path)
    return project


def found(capsys):
    code = cli.main(["gate", "--json"])
    (said,) = json.loads(capsys.readouterr().out)["experiments"]
    return code, said


@pytest.mark.parametrize(
    ("rows", "verdict", "code"), [(BASE, "no change", 0), (WORSE, "regression", 1)]
)
@pytest.mark.parametrize("is_left", [True, False], ids=["beside it", "in the cache"])
def test_against_a_base_with_csv(project, capsys, rows, verdict, code, is_left):
    project.evaluate("digits", rows)
    if not is_left:
        (project.folder / "predictions/digits.csv").unlink()

    failed, said = found(capsys)

    assert (said["verdict"], failed) == (verdict, code)
    assert said["notes"] == []
    assert {one["metric"] for one in said["metrics"]} >= {"accuracy", "macro_f1"}


def test_before_it_is_evaluated_again_nothing_changed(project, capsys):
    code, said = found(capsys)

    assert (said["verdict"], said["notes"], code) == ("no change", [], 0)


def test_a_base_that_cannot_be_had_is_named_as_it_was(project, capsys):
    project.evaluate("digits", WORSE)
    (project.folder / "predictions/digits.csv").unlink()
    for one in (project.folder / ".dvc/cache/files/md5").rglob("*"):
        if one.is_file() and one.read_bytes().startswith(b"example,"):
            one.unlink()

    code, said = found(capsys)

    assert (said["verdict"], code) == ("could not compare", 2)
    assert said["notes"][0].startswith("predictions/digits.csv of the merge base with main, ")
