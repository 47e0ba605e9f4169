"""`imago verify --reproducible`: an experiment made twice in clean copies."""

import shutil
from pathlib import Path

import pytest

from imago import cli
from imago.core import paths
from imago.project import git, lock
from tests import echo_project

pytestmark = pytest.mark.fault


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


def verify(capfd, name="plain"):
    code = cli.main(["verify", "--reproducible", name])
    out, err = capfd.readouterr()
    return code, out.splitlines(), err


def test_an_experiment_that_comes_out_equal(project, capfd):
    before, trained = lock.read(), echo_project.trainings(project)

    code, lines, _ = verify(capfd)

    outs = ["models/plain", "reports/plain/history.csv"]
    outs += ["predictions/plain.parquet", "metrics/plain.json", "reports/cards/plain.json"]
    extent = sum(Path(out).stat().st_size for out in outs)
    said = f"plain: made twice from nothing: {len(outs)} files, {extent} bytes, all equal"
    assert (code, lines[-1]) == (0, said)
    assert sum(line.startswith("Running stage 'train@plain'") for line in lines) == 2
    assert not any("train@validated" in line for line in lines)
    assert lock.read() == before
    assert echo_project.trainings(project) == trained
    assert git.changed() == []
    assert not paths.copies().exists()


def test_what_differs_is_named(project, capfd):
    (project / "evaluate.sh").write_text(f"{echo_project.EVALUATE}pwd >> predictions/$1.parquet\n")

    code, lines, _ = verify(capfd)

    assert code == 1
    assert lines[-3] == "predictions/plain.parquet: not the same bytes twice"
    assert lines[-1].endswith(", 1 differ")


def test_what_dvc_lock_records_otherwise_is_named(project, capfd):
    echo_project.put(project, "experiments.plain.train.epochs", 7)

    code, lines, _ = verify(capfd)

    assert code == 0
    assert lines[-2].startswith(
        "dvc.lock records others of metrics/plain.json, models/plain, predictions/plain.parquet, "
        "reports/cards/plain.json, reports/plain/history.csv: those of other code, "
    )


def test_a_stage_that_fails(project, capfd):
    (project / "evaluate.sh").write_text("exit 3")

    code, _, error = verify(capfd)

    assert code == 1
    said = "imago verify: dvc repro --no-run-cache report@plain failed; its error is above"
    assert error.splitlines()[-1] == said
    assert not paths.copies().exists()


@pytest.mark.usefixtures("project")
def test_an_unknown_experiment(capfd):
    said = "imago verify: unknown experiment 'other'; params.yaml has plain, validated\n"
    assert verify(capfd, "other") == (1, [], said)
