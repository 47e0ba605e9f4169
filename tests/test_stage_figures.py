import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imago.figures
from imago import history, params
from imago.core import files, paths, registry, sections
from imago.core.errors import DataError, ParamsError
from imago.data import arrays, writing
from imago.drawing import augmented, canvas
from imago.figures import views
from imago.images import augment
from imago.reports import rendering
from imago.scoring import calibration, predictions, tables
from stages import figures, report
from tests import report_tree, tiny_project
from tests.tiny_project import write_params

ROOT = Path(__file__).parents[1]
CLASSES = ("top", "middle", "bottom")
ALWAYS = {
    *("confusion", "curves", "examples", "mistakes", "per_class", "reliability", "samples"),
    "uncertain",
}
CHANGES = {"horizontal_flip": True, "brightness": 0.5}
PROBABILITIES = np.random.default_rng(8).dirichlet(np.ones(3), 30).astype(np.float32)


def write_data(folder, side_px, channels, copies=0):
    """30 training images, each with its copies, and as many test images."""
    generator = np.random.default_rng(9)
    shape = (side_px, side_px, channels)
    images = generator.integers(0, 256, (30 * (1 + copies), *shape), dtype=np.uint8)
    labels = np.arange(30, dtype=np.int32) % 3
    with writing.splits(folder, CLASSES, shape, copies) as writer:
        writer.add("train", labels.repeat(1 + copies), [images])
        writer.add("test", labels, [images[:30]])
    return images, labels


def write_results(root, experiment, labels):
    """What training and scoring leave behind."""
    report = root / "reports" / experiment
    identities = np.arange(30, dtype=np.uint64)
    written = {
        report / "history.csv": history.table(
            [{"loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1}]
        ),
        report / "confusion.csv": tables.confusion(labels, PROBABILITIES, CLASSES),
        report / "per_class.csv": tables.per_class(labels, PROBABILITIES, CLASSES),
        report / "reliability.csv": calibration.reliability(labels, PROBABILITIES),
    }
    for path, table in written.items():
        files.write_csv(path, table)
    found = predictions.make(labels, PROBABILITIES, CLASSES, identities)
    predictions.write(root / f"predictions/{experiment}.parquet", found)


def write_tree(folder):
    """Write a finished experiment without validation images and views."""
    write_params(folder, tiny_project.settings())
    _, labels = write_data(folder / "data/prepared/tiny8", 8, 1)
    write_results(folder, "plain", labels)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def drawn_tree(tmp_path_factory):
    """Such a tree with its figures; to be copied if it is to be changed."""
    folder = tmp_path_factory.mktemp("drawn")
    write_tree(folder)
    with contextlib.chdir(folder):
        figures.main("plain")
    return folder


def drawn(tree, experiment="plain"):
    return {
        path.stem: path.read_bytes() for path in (tree / f"reports/{experiment}/figures").iterdir()
    }


def test_every_figure_is_a_small_picture(drawn_tree):
    found = drawn(drawn_tree)
    assert set(found) == ALWAYS
    assert max(map(len, found.values())) < 300_000
    for path in (drawn_tree / "reports/plain/figures").iterdir():
        with Image.open(path) as picture:
            assert (picture.format, path.suffix) == ("PNG", ".png")
            assert picture.width <= canvas.WIDTH_PX


def test_equal_bytes_in_another_process_without_tensorflow(drawn_tree, tmp_path):
    """Whatever stood there and a matplotlibrc says.

    No model of a dense net has been written, and nothing that reads one is imported.
    """
    folder = shutil.copytree(drawn_tree, tmp_path / "project")
    (folder / "reports/plain/figures/old.png").write_bytes(b"")
    (folder / "matplotlibrc").write_text(
        "axes.linewidth: 5\nlines.linewidth: 9\ntext.color: red\nfont.size: 30\n"
    )
    script = """
import sys
from stages import figures
figures.main("plain")
print(sorted({"keras", "tensorflow", "sklearn"} & set(sys.modules)))
"""
    environment = tiny_project.environment() | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert (found.stdout, found.stderr) == ("[]\n", "")
    assert drawn(folder) == drawn(drawn_tree)


@pytest.fixture
def only_views(monkeypatch):
    """Draw no other figure."""
    monkeypatch.setattr(registry, "names", lambda _: ["views"])


@pytest.mark.usefixtures("only_views")
def test_views_of_the_variant(tree):
    images, labels = write_data(tree / "data/prepared/tiny8", 8, 1, copies=2)

    figures.main("plain")

    split = arrays.Split(images, labels.repeat(3))
    originals, copies, shown = augmented.sample(split, 2, 3)
    names = [CLASSES[label] for label in shown]
    figure = augmented.preview(originals, copies, names, views.AREA_PX)
    canvas.write(tree / "expected.png", figure)
    assert drawn(tree)["views"] == (tree / "expected.png").read_bytes()


@pytest.mark.usefixtures("only_views")
def test_changes_in_training_are_drawn_from_the_seed(tree):
    settings = tiny_project.settings()
    settings["experiments"]["plain"]["train"] |= {"augment": CHANGES, "jit_compile": False}
    write_params(tree, settings)

    figures.main("plain")

    train = arrays.read_split(tree / "data/prepared/tiny8", "train")
    originals, _, shown = augmented.sample(train, 0, 3)
    generator = np.random.default_rng(20)
    rows = augment.draw(sections.Augment(**CHANGES), 3 * len(originals), generator)
    copies = [augment.apply(originals, part) for part in np.split(rows, 3)]
    names = [CLASSES[label] for label in shown]
    figure = augmented.preview(originals, np.stack(copies), names, views.AREA_PX)
    canvas.write(tree / "expected.png", figure)
    assert drawn(tree)["views"] == (tree / "expected.png").read_bytes()


def test_a_convolutional_net_is_looked_into(tree, monkeypatch):
    looked_into = ["activations", "samples", "views"]
    monkeypatch.setattr(registry, "names", lambda _: looked_into)
    from imago.models import cnn
    from imago.runtimes import (
        determinism,  # here: the other tests need no TensorFlow
        saving,  # here: the other tests need no TensorFlow
    )

    settings = tiny_project.with_cnn(tiny_project.settings_with_photos())
    write_params(tree, settings)
    _, labels = write_data(tree / "data/prepared/photos16", 16, 3)
    write_results(tree, "cnn", labels)
    determinism.enable(1)
    training = cnn.Settings(**settings["experiments"]["cnn"]["train"])
    saving.write(tree / "models/cnn", cnn.build(training, (16, 16, 3), 3, None), CLASSES)
    figures.main("cnn")

    assert set(drawn(tree, "cnn")) == set(looked_into)


@pytest.mark.parametrize(
    ("model", "convolutional"), [("plain", False), ("cnn", True), ("transfer", True)]
)
def test_which_models_are_convolutional(tree, model, convolutional):
    write_params(tree, tiny_project.with_cnn(tiny_project.settings_with_photos()))
    assert params.load().experiments[model].train.convolutional is convolutional


def test_missing_predictions(tree):
    (tree / "predictions/plain.parquet").unlink()

    with pytest.raises(DataError, match=r"predictions/plain\.parquet: not found; run the stage"):
        figures.main("plain")
    assert not (tree / "reports/plain/figures").exists()


NEW_FIGURE = """
from imago.drawing import canvas

TITLE, CAPTION = "Right <or> wrong", "The share that is right."
SECTION, PLACE = "classes", 5


def draw(subject):
    if subject.experiment != "plain":
        return None
    figure = canvas.blank(40, 30)
    canvas.heading(figure, TITLE, f"{subject.predictions.right.mean():.0%}")
    return figure
"""
WITH_NEW_FIGURE = """
import sys

from imago import figures

figures.__path__.append(sys.argv[1])

from stages.figures import main

main("plain")
"""


def draw_with_new_figure(tree):
    """Draw in a process in which imago.figures has a new figure and a helper that is none."""
    (tree / "added").mkdir()
    (tree / "added/newcomer.py").write_text(NEW_FIGURE, "utf-8")
    (tree / "added/_helper.py").write_text("raise SystemError('imported')", "utf-8")
    command = [sys.executable, "-c", WITH_NEW_FIGURE, tree / "added"]
    subprocess.run(command, cwd=tree, env={"PYTHONPATH": str(ROOT)}, check=True)


def test_a_new_figure_is_one_new_file(tree, monkeypatch):
    draw_with_new_figure(tree)

    with Image.open(tree / "reports/plain/figures/newcomer.png") as picture:
        assert picture.size == (40, 30)
    captions = files.read_json(tree / "reports/plain/captions.json")
    assert set(drawn(tree)) == set(captions) == ALWAYS | {"newcomer"}
    assert next(iter(captions)) == "newcomer"
    assert captions["newcomer"] == {
        "title": "Right <or> wrong",
        "caption": "The share that is right.",
        "section": "classes",
    }

    reported = tree / "reported"
    reported.mkdir()
    monkeypatch.chdir(reported)
    report_tree.write(reported)
    shutil.copytree(tree / "reports/plain/figures", "reports/tiny/figures", dirs_exist_ok=True)
    files.write_json(paths.captions("tiny"), captions)
    report.main("tiny")
    html = paths.page("tiny").read_text("utf-8")
    assert (
        html.index('<h2 id="classes">') < html.index('id="newcomer"') < html.index('id="per_class"')
    )
    assert 'alt="Right &lt;or&gt; wrong of tiny. The share that is right."' in html


def test_every_figure_has_words_and_a_place_in_the_report():
    for name in registry.names(imago.figures):
        module = registry.load(imago.figures, name)
        assert module.TITLE, name
        assert module.CAPTION.endswith((".", "?")), name
        assert module.SECTION in rendering.section_names(), name
        assert isinstance(module.PLACE, int), name


@pytest.mark.usefixtures("tree")
def test_unknown_experiment():
    with pytest.raises(ParamsError, match="unknown experiment 'plane'"):
        figures.main("plane")
