"""The whole DAG, run by DVC as a user runs it, on a tiny data set."""

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from imago import exports, files
from tests import tiny_project
from tests.tiny_project import commit, dvc, environment, run

pytestmark = pytest.mark.slow

STAGES = {
    "fetch@tiny",
    "extract@tiny",
    "prepare@tiny8",
    "prepare@tiny6",
    *(f"{stage}@plain" for stage in ("train", "evaluate", "export")),
    *(f"{stage}@validated" for stage in ("train", "evaluate", "export")),
}


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A project after its first `dvc repro`, committed."""
    folder = tmp_path_factory.mktemp("finished")
    tiny_project.create(folder)
    assert stages_run(dvc(folder, "repro")) == STAGES
    commit(folder, "Run")
    return folder


@pytest.fixture
def project(finished, tmp_path) -> Path:
    """A copy of the finished project, to be changed."""
    return shutil.copytree(finished, tmp_path / "project", symlinks=True)


def test_each_experiment_has_its_artifacts(finished):
    for name in ("plain", "validated"):
        model = keras.saving.load_model(finished / "models" / name / "model.keras")
        assert model.output_shape == (None, 3)
        metrics = files.read_json(finished / "metrics" / f"{name}.json")
        assert metrics["examples"] == 30
        assert metrics["accuracy"] > 0.9
        rows = pd.read_csv(finished / "predictions" / f"{name}.csv")
        assert (rows["true"] == rows["predicted"]).mean() == pytest.approx(metrics["accuracy"])
        confusion = pd.read_csv(finished / "reports" / name / "confusion.csv")
        assert confusion["count"].sum() == 30
        description = files.read_json(finished / "exports" / name / "model.json")
        assert description["classes"] == ["top", "middle", "bottom"]


def test_an_export_gives_what_predictions_say(finished):
    images = np.load(finished / "data/prepared/tiny6/test/images.npy")
    rows = pd.read_csv(finished / "predictions/validated.csv")
    for name, file_name in exports.FILE_NAMES.items():
        predict = exports.read(name, finished / "exports/validated" / file_name)
        np.testing.assert_allclose(predict(images).max(axis=1), rows["probability"], atol=1e-5)


def test_history_has_validation_figures_where_there_is_a_validation_split(finished):
    plain = pd.read_csv(finished / "reports/plain/history.csv")
    assert plain["epoch"].tolist() == [*range(1, 9)]
    assert plain["validation_loss"].isna().all()
    validated = pd.read_csv(finished / "reports/validated/history.csv")
    assert validated[["validation_loss", "validation_accuracy"]].notna().all(axis=None)


def test_nothing_is_run_again_without_a_change(project):
    assert "Data and pipelines are up to date" in dvc(project, "repro")
    assert run(project, "git", "status", "--porcelain") == ""


def test_a_clean_run_gives_the_same_lock(project):
    lock = (project / "dvc.lock").read_text()
    run(project, "git", "clean", "-fdxq")
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    (project / "dvc.lock").unlink()
    assert stages_run(dvc(project, "repro")) == STAGES
    assert (project / "dvc.lock").read_text() == lock
    assert run(project, "git", "status", "--porcelain") == ""


def test_one_target_runs_what_it_needs_and_no_more(project):
    (project / "dvc.lock").unlink()
    for folder in ("data", "models"):
        shutil.rmtree(project / folder)
    output = dvc(project, "repro", "--no-run-cache", "evaluate@plain")
    needed = {"fetch@tiny", "extract@tiny", "prepare@tiny8", "train@plain", "evaluate@plain"}
    assert stages_run(output) == needed


def test_an_experiment_with_another_value_runs_its_stages_and_can_be_compared(project):
    output = dvc(project, "exp", "run", "-S", "experiments.plain.train.learning_rate=0.001")
    assert stages_run(output) == {"train@plain", "evaluate@plain", "export@plain"}

    ((key, change),) = json.loads(dvc(project, "params", "diff", "--json"))["params.yaml"].items()
    assert key == "experiments.plain.train.learning_rate"
    assert (change["old"], change["new"]) == (0.01, 0.001)
    metrics = json.loads(dvc(project, "metrics", "diff", "--json"))
    assert metrics["metrics/plain.json"]["loss"]["diff"] > 0
    assert "metrics/validated.json" not in metrics
    page = dvc(project, "plots", "diff", "HEAD", "--out", "plots").strip().removeprefix("file://")
    html = Path(page).read_text()
    for shown in (
        "Loss and accuracy by epoch",
        "Confusion matrix",
        "F1 by class",
        "workspace",
        "HEAD",
    ):
        assert shown in html

    dvc(project, "exp", "run", "-S", "experiments.plain.train.learning_rate=0.01")
    assert run(project, "git", "status", "--porcelain", "metrics", "reports", "dvc.lock") == ""


def test_a_small_value_survives_dvcs_own_writing_of_params(project):
    change = "experiments.plain.train.learning_rate=0.00005"
    dvc(project, "exp", "run", "--queue", "-S", change)  # written as 5e-05
    dvc(project, "exp", "run", "-S", change, "train@plain")
    assert "5e-05" in (project / "params.yaml").read_text()


def test_experiments_run_from_the_queue(project):
    for rate in ("0.02", "0.03"):
        change = f"experiments.plain.train.learning_rate={rate}"
        dvc(project, "exp", "run", "--queue", "--name", f"rate-{rate[-1]}", "-S", change)
    dvc(project, "exp", "run", "--run-all")
    names = dvc(project, "exp", "list", "--name-only").split()
    assert {"rate-2", "rate-3"} <= set(names)
    metrics = json.loads(dvc(project, "metrics", "diff", "rate-2", "rate-3", "--json"))
    assert set(metrics) == {"metrics/plain.json"}


def test_a_wrong_value_ends_as_one_line(project):
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("epochs: 8", "epochs: many", 1))
    command = [sys.executable, "-m", "stages.train", "plain"]
    found = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stderr == (
        "train plain: params.yaml: experiments.plain.train.epochs must be a whole number, "
        "got 'many'\n"
    )


def test_a_training_killed_in_the_middle_goes_on_to_the_same_files(project):
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("epochs: 8", "epochs: 2000"))
    command = [sys.executable, "-m", "stages.train", "plain"]
    undisturbed = [project / "models/plain/model.keras", project / "reports/plain/history.csv"]
    run(project, *command)
    wanted = [path.read_bytes() for path in undisturbed]

    with subprocess.Popen(command, cwd=project, env=environment(), stdout=subprocess.PIPE) as child:
        # A line for each epoch: more than the pipe holds, so the child waits and is not done.
        for line in child.stdout:
            if line.startswith(b"epoch 5/"):
                break
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    (state,) = project.glob(".imago/training/plain/*/state.npz")
    with np.load(state) as saved:
        finished_epochs = len(json.loads(str(saved["history"])))
    assert 4 <= finished_epochs < 2000
    for path in undisturbed:
        path.unlink()

    output = run(project, *command)
    assert f"goes on after epoch {finished_epochs}" in output
    assert [path.read_bytes() for path in undisturbed] == wanted
    assert not list(project.glob(".imago/training/plain/*"))
