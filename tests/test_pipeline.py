"""The whole DAG, run by DVC as a user runs it, on tiny data sets."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import pytest

from imago import Predictor
from imago.core import files, registry
from imago.data import arrays
from imago.exports import formats
from imago.photos import packs
from tests import tiny_project
from tests.tiny_project import commit, dvc, environment, run
from tests.trees import contents

EXPERIMENTS = {"plain": "tiny8", "transfer": "photos32"}
VARIANTS = EXPERIMENTS | {"cnn": "photos16"}
CLASSES = {name: ["blue", "green", "red"] for name in ("cnn", "transfer")} | {
    "plain": ["top", "middle", "bottom"]
}
CNN = pytest.param("cnn", marks=pytest.mark.slow)
of_each = pytest.mark.parametrize("name", [*EXPERIMENTS, CNN])
of_photos = pytest.mark.parametrize("name", ["transfer", CNN])
OF_EXPERIMENT = ("train", "evaluate", "export", "figures", "report")
STAGES = {
    *(f"{stage}@{name}" for stage in ("fetch", "extract") for name in ("tiny", "photos")),
    *(f"{stage}@{name}" for stage in ("prepare", "preview") for name in EXPERIMENTS.values()),
    "fetch_weights@net",
    "backbone@net32",
    "embed@photos32_net",
    "inspect@photos32_net",
    *(f"{stage}@{name}" for stage in OF_EXPERIMENT for name in EXPERIMENTS),
    "overview",
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


@pytest.fixture(scope="module")
def finished_cnn(finished, tmp_path_factory) -> Path:
    """The same with another experiment, which runs alone."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("cnn") / "project", symlinks=True)
    tiny_project.write_params(folder, tiny_project.with_cnn(tiny_project.read_params(folder)))
    expected = {"prepare@photos16", "preview@photos16", "overview"}
    expected |= {f"{stage}@cnn" for stage in OF_EXPERIMENT}
    assert stages_run(dvc(folder, "repro")) == expected
    return folder


@pytest.fixture
def done(request, name) -> Path:
    """A project in which the experiment `name` has run."""
    return request.getfixturevalue("finished_cnn" if name == "cnn" else "finished")


@pytest.fixture
def project(finished, tmp_path) -> Iterator[Path]:
    """A copy of the finished project, to be changed."""
    yield shutil.copytree(finished, tmp_path / "project", symlinks=True)
    shutil.rmtree(tmp_path / "project")  # 100 MB


@of_each
def test_each_experiment_has_its_artifacts(done, name):
    model = keras.saving.load_model(done / "models" / name / "model.keras")
    assert model.output_shape == (None, 3)
    metrics = files.read_json(done / "metrics" / f"{name}.json")
    examples = 30 if name == "plain" else 12
    assert metrics["examples"] == examples
    assert metrics["accuracy"] > 0.9
    assert metrics["roc_auc"] > 0.9
    assert metrics["parameters"] == model.count_params()
    rows = pd.read_parquet(done / f"predictions/{name}.parquet")
    assert (rows["true"] == rows["predicted"]).mean() == pytest.approx(metrics["accuracy"])
    confusion = pd.read_csv(done / "reports" / name / "confusion.csv")
    assert confusion["count"].sum() == examples
    description = files.read_json(done / "exports" / name / "model.json")
    assert description["classes"] == CLASSES[name]


def check_exports(folder: Path, name: str, count: int) -> None:
    """Each of so many formats answers as the predictions do."""
    images = np.load(folder / "data/prepared" / VARIANTS[name] / "test/images.npy")
    rows = pd.read_parquet(folder / f"predictions/{name}.parquet")
    described = files.read_json(folder / "exports" / name / "model.json")["formats"]
    assert len(described) == count
    for kind in described:
        exported = registry.load(formats, kind)
        found = exported.load(folder / "exports" / name / exported.FILE_NAME, 1)(images)
        if exported.EXACT:
            np.testing.assert_allclose(found.max(axis=1), rows["probability"], atol=1e-4)
        predicted = np.array(CLASSES[name])[found.argmax(axis=1)]
        assert (predicted == rows["predicted"]).mean() > 0.9


ALL = len(registry.names(formats))


@of_each
def test_an_export_gives_what_predictions_say(done, name):
    check_exports(done, name, ALL if name == "plain" else 3)


@of_photos
def test_a_predictor_sees_photos_as_prepare_does(done, name):
    predictor = Predictor(done / "exports" / name)
    photos = packs.read_images(done / "data/extracted/photos", "test")
    prepared = np.load(done / "data/prepared" / VARIANTS[name] / "test/images.npy")
    seen = [predictor.pixels(photos.content(row)) for row in range(len(photos))]
    np.testing.assert_array_equal(np.stack(seen), prepared)


@of_photos
@pytest.mark.parametrize("table", [False, True], ids=["split folders", "index of drawn photos"])
def test_score_of_the_test_photos_is_that_of_evaluate(done, name, table, tmp_path):
    """To the last digit of the metrics and of the predictions."""
    photos = ["published/photos.zip"]
    photos += [f"data/prepared/{VARIANTS[name]}/index.csv"] if table else []

    run(done, "imago", "score", name, *photos, "--split", "test", "--output", str(tmp_path))

    expected = files.read_json(done / f"metrics/{name}.json")
    del expected["parameters"]
    assert files.read_json(tmp_path / "metrics.json") == expected
    rows = pd.read_parquet(done / f"predictions/{name}.parquet")
    assert (tmp_path / "predictions.csv").read_text("utf-8") == rows.to_csv(index=False)


def test_predict_from_the_command_line(finished, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.jpg"), np.full((30, 40, 3), (60, 60, 200), np.uint8))
    printed = run(finished, "imago", "predict", "--model", "transfer", str(tmp_path))
    said = json.loads(printed)
    assert (said["image"], said["answer"]) == (str(tmp_path / "photo.jpg"), "red")


@of_each
def test_each_experiment_has_a_report(done, name):
    page = done / "reports" / name / "index.html"
    assert page.stat().st_size < 1_600_000
    assert f'href="{name}/index.html"' in (done / "reports/index.html").read_text("utf-8")
    card = files.read_json(done / "reports/cards" / f"{name}.json")
    assert card["metrics"] == files.read_json(done / "metrics" / f"{name}.json")
    dataset = "tiny" if name == "plain" else "photos"
    assert card["data"]["dataset"]["name"] == dataset
    assert ("features" in card["data"]) == (name == "transfer")


@of_each
def test_history_has_validation_figures_where_there_is_a_validation_split(done, name):
    history = pd.read_csv(done / f"reports/{name}/history.csv")
    assert history["epoch"].tolist() == [*range(1, {"plain": 9, "transfer": 21, "cnn": 6}[name])]
    validation = history[["validation_loss", "validation_accuracy"]]
    assert validation.notna().all(axis=None) == (name == "cnn")
    assert validation.isna().all(axis=None) == (name != "cnn")


def test_a_file_that_is_no_photo_is_set_aside_with_the_reason(finished):
    extracted = finished / "data/extracted/photos"
    (row,) = pd.read_csv(extracted / "set_aside.csv").to_dict("records")
    assert row["path"] == "photos-1.0/train/red/broken.jpg"
    assert row["reason"].startswith("not of a known format")
    counts = {name: split.examples for name, split in arrays.read_info(extracted).splits.items()}
    assert counts == {"train": 36, "test": 12}


@of_photos
def test_variants_of_photos_hold_augmented_copies(done, name):
    info = arrays.read_info(done / "data/prepared" / VARIANTS[name])
    assert {split: of.examples for split, of in info.splits.items()} == {
        "transfer": {"train": 30 * 2, "test": 12},
        "cnn": {"train": 27 * 3, "validation": 9, "test": 12},
    }[name]
    preview = (done / "reports/variants" / f"{VARIANTS[name]}.png").read_bytes()
    assert preview.startswith(b"\x89PNG")


def test_features_are_those_of_the_training_images_alone(finished):
    info = arrays.read_info(finished / "data/features/photos32_net")
    assert info.image_shape == (16,)
    assert {name: split.examples for name, split in info.splits.items()} == {"train": 60}


@pytest.mark.slow
def test_another_head_runs_no_more_than_its_training_and_what_follows(project):
    values = tiny_project.read_params(project)
    values["experiments"]["transfer"]["train"]["hidden_units"] = [8]
    tiny_project.write_params(project, values)
    expected = {f"{stage}@transfer" for stage in OF_EXPERIMENT} | {"overview"}
    assert stages_run(dvc(project, "repro")) == expected


@pytest.mark.slow
def test_a_deep_backbone_with_all_formats(project):
    """As published, from the file of its weights on; the other tests have a tiny one."""
    keras.utils.set_random_seed(1)
    net = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    published = project / "published" / tiny_project.WEIGHTS
    tiny_project.write_weights(published, net, tiny_project.many_colors() / 127.5 - 1)
    values = tiny_project.read_params(project)
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    values["weights"]["net"]["files"] = {published.name: digest}
    values["backbones"]["net32"]["net"] = "MobileNetV2"
    values["experiments"]["transfer"]["export"] = tiny_project.EXPORT
    tiny_project.write_params(project, values)

    expected = {f"{stage}@transfer" for stage in OF_EXPERIMENT} | {"overview"}
    expected |= {"fetch_weights@net", "backbone@net32", "embed@photos32_net"}
    expected |= {"inspect@photos32_net"}
    assert stages_run(dvc(project, "repro")) == expected

    assert arrays.read_info(project / "data/features/photos32_net").image_shape == (1280,)
    assert files.read_json(project / "metrics/transfer.json")["accuracy"] > 0.9
    check_exports(project, "transfer", ALL)


@pytest.mark.slow
def test_another_augmentation_runs_what_depends_on_its_variant(project):
    values = tiny_project.read_params(project)
    values["prepare"]["photos32"]["augment"]["brightness"] = 0.2
    tiny_project.write_params(project, values)
    expected = {f"{stage}@transfer" for stage in OF_EXPERIMENT} | {"overview"}
    expected |= {"prepare@photos32", "preview@photos32", "embed@photos32_net"}
    expected |= {"inspect@photos32_net"}
    assert stages_run(dvc(project, "repro")) == expected


def test_nothing_is_drafted_of_photos_that_have_changed_since_they_were_looked_at(project):
    command = [sys.executable, "-m", "imago", "decide", "photos"]
    done = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("decisions/photos.csv: ")
    run(project, "git", "checkout", "--quiet", "params.yaml")
    (project / "decisions/photos.csv").unlink(missing_ok=True)
    values = tiny_project.read_params(project)
    values["datasets"]["photos"]["extract"]["greatest_megapixels"] = 2
    tiny_project.write_params(project, values)
    done = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert "photos: has changed since it was looked at" in done.stderr
    assert "run `dvc repro inspect@photos32_net`" in done.stderr


def test_nothing_is_run_again_without_a_change(project):
    assert "Data and pipelines are up to date" in dvc(project, "repro")
    assert run(project, "git", "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_clean_run_gives_the_same_lock(project):
    lock = (project / "dvc.lock").read_text()
    run(project, "git", "clean", "-fdxq")
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    (project / "dvc.lock").unlink()
    assert stages_run(dvc(project, "repro")) == STAGES
    assert (project / "dvc.lock").read_text() == lock
    assert run(project, "git", "status", "--porcelain") == ""


@pytest.mark.slow
def test_one_target_runs_what_it_needs_and_no_more(project):
    (project / "dvc.lock").unlink()
    for folder in ("data", "models"):
        shutil.rmtree(project / folder)
    output = dvc(project, "repro", "--no-run-cache", "evaluate@plain")
    needed = {"fetch@tiny", "extract@tiny", "prepare@tiny8", "train@plain", "evaluate@plain"}
    assert stages_run(output) == needed


@pytest.mark.slow
def test_an_experiment_with_another_value_runs_its_stages_and_can_be_compared(project):
    output = dvc(project, "exp", "run", "-S", "experiments.plain.train.learning_rate=0.00005")
    expected = {f"{stage}@plain" for stage in OF_EXPERIMENT} | {"overview"}
    assert stages_run(output) == expected
    assert "5e-05" in (project / "params.yaml").read_text()  # as DVC writes it

    ((key, change),) = json.loads(dvc(project, "params", "diff", "--json"))["params.yaml"].items()
    assert key == "experiments.plain.train.learning_rate"
    assert (change["old"], change["new"]) == (0.01, 0.00005)
    metrics = json.loads(dvc(project, "metrics", "diff", "--json"))
    assert metrics["metrics/plain.json"]["loss"]["diff"] > 0
    assert "metrics/transfer.json" not in metrics
    page = dvc(project, "plots", "diff", "HEAD", "--out", "plots").strip().removeprefix("file://")
    html = Path(page).read_text()
    for shown in (
        "plain: loss and accuracy by epoch",
        "plain: confusion matrix",
        "plain: precision, recall and F1 of each class",
        "plain: reliability of probabilities",
        "plain: ROC, each class against the others",
        "Accuracy of all experiments",
        "Accuracy of all experiments by epoch",
        "workspace",
        "HEAD",
    ):
        assert shown in html

    dvc(project, "exp", "run", "-S", "experiments.plain.train.learning_rate=0.01")
    assert run(project, "git", "status", "--porcelain", "metrics", "reports", "dvc.lock") == ""


@pytest.mark.slow
def test_experiments_run_from_the_queue(project):
    for name, rate in (("faster", "0.02"), ("slower", "0.00005")):
        change = f"experiments.plain.train.learning_rate={rate}"
        dvc(project, "exp", "run", "--queue", "--name", name, "-S", change, "evaluate@plain")
    dvc(project, "exp", "run", "--run-all")
    names = dvc(project, "exp", "list", "--name-only").split()
    assert {"faster", "slower"} <= set(names)
    metrics = json.loads(dvc(project, "metrics", "diff", "faster", "slower", "--json"))
    assert metrics["metrics/plain.json"]["loss"]["diff"] > 0
    assert set(metrics) == {"metrics/plain.json"}


def test_a_wrong_value_ends_as_one_line(finished, tmp_path):
    for name in ("imago", "stages"):
        shutil.copytree(finished / name, tmp_path / name)
    params = Path(shutil.copy(finished / "params.yaml", tmp_path))
    params.write_text(params.read_text().replace("epochs: 8", "epochs: many", 1))
    command = [sys.executable, "-m", "stages.preview", "tiny8"]
    found = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stderr == (
        "preview tiny8: params.yaml: experiments.plain.train.epochs must be a whole number, "
        "got 'many'\n"
    )


KILLED_IN_EPOCH_5 = """
import logging, os, runpy, signal, sys

class Killer(logging.Handler):
    def emit(self, record):
        if record.getMessage().startswith("epoch 5/"):
            os.kill(os.getpid(), signal.SIGKILL)

logging.getLogger("imago").addHandler(Killer())
sys.argv[1:] = ["plain"]
runpy.run_module("stages.train", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def torn_off(finished, tmp_path_factory) -> Path:
    """The project when the training of `plain`, of 8 epochs, was killed in the fifth."""
    folder = tmp_path_factory.mktemp("torn") / "project"
    others = shutil.ignore_patterns(".dvc", ".git", "exports", "features", "published", "weights")
    shutil.copytree(finished, folder, symlinks=True, ignore=others)
    shutil.rmtree(folder / "models/plain")
    (folder / "reports/plain/history.csv").unlink()
    command = [sys.executable, "-c", KILLED_IN_EPOCH_5]
    child = subprocess.run(command, cwd=folder, env=environment(), capture_output=True)
    assert child.returncode == -signal.SIGKILL, child.stderr
    return folder


@pytest.fixture
def torn(torn_off, tmp_path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(torn_off, tmp_path / "project", symlinks=True)


TRAIN = [sys.executable, "-m", "stages.train", "plain"]


def change(module: Path) -> None:
    with module.open("a") as file:
        file.write("# changed\n")


@pytest.mark.slow
def test_a_training_killed_in_the_middle_goes_on_to_the_same_files(finished, torn):
    """Whatever has changed in code that does not train."""
    change(torn / "imago/reports/limits.py")

    assert "goes on after epoch 4," in run(torn, *TRAIN)

    assert contents(torn / "models/plain") == contents(finished / "models/plain")
    history = "reports/plain/history.csv"
    assert (torn / history).read_bytes() == (finished / history).read_bytes()
    assert not list(torn.glob(".imago/training/plain/*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["imago/training/loop.py", "imago/models/mlp.py", "stages/train.py"]
)
def test_a_killed_training_goes_on_only_with_the_code_that_it_began_with(torn, module):
    """tests/test_checkpoints.py tells what belongs to that code."""
    change(torn / module)

    assert "goes on" not in run(torn, *TRAIN)


def files_of(page: Path) -> dict[str, str]:
    """The files that a page of docs has in full: a path that ends a paragraph, and a code block."""
    return dict(
        re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```\n", page.read_text("utf-8"), re.S)
    )


@pytest.mark.slow
def test_what_the_docs_add_is_computed_drawn_and_shown(project):
    """docs/extending.md, a metric and a figure: two new files, and not a line elsewhere."""
    added = files_of(tiny_project.ROOT / "docs/extending.md")
    assert set(added) == {"imago/scoring/metrics/margin.py", "imago/figures/brightness.py"}
    for path, text in added.items():
        (project / path).write_text(text, "utf-8")

    ran = stages_run(dvc(project, "repro", "report@plain"))

    assert ran == {f"{stage}@plain" for stage in ("evaluate", "figures", "report")}
    metrics = files.read_json(project / "metrics/plain.json")
    assert 0 < metrics["mean_margin"] < 1
    page = (project / "reports/plain/index.html").read_text("utf-8")
    for words in ("Mean margin", "Brightness of the training images", "Two humps"):
        assert words in page
    assert (project / "reports/plain/figures/brightness.png").is_file()


@pytest.mark.slow
def test_images_in_many_shards_come_to_the_same(finished, project):
    code = project / "imago/data/writing.py"
    whole = "SHARD_BYTES = 32 * BLOCK_BYTES"
    assert whole in code.read_text("utf-8")
    code.write_text(code.read_text("utf-8").replace(whole, "SHARD_BYTES = 500"), "utf-8")
    assert stages_run(dvc(project, "repro")) >= {f"evaluate@{name}" for name in EXPERIMENTS}

    shards = {path.parent.relative_to(project) for path in project.rglob("images-00001.*")}
    assert {folder.parts[1] for folder in shards} == {"extracted", "prepared", "features"}
    for name in EXPERIMENTS:
        found, wanted = (
            pd.read_parquet(folder / f"predictions/{name}.parquet")
            for folder in (project, finished)
        )
        pd.testing.assert_frame_equal(found, wanted, atol=1e-5)
    for path in (finished / "reports/plain/figures").iterdir():
        same = project / path.relative_to(finished)
        assert same.read_bytes() == path.read_bytes(), path.name
