"""Recipes: what is in them, what `imago add` makes of them, and that each runs, on tiny data."""

import hashlib
import re
import shutil
import sys
import zipfile

import pytest

from imago import cli, params
from imago.core.errors import ParamsError
from imago.project import add, recipes, remove, yaml_text
from tests import docs_project, tiny_project, tiny_sources
from tests.tiny_project import ROOT

NAMES = [
    "cat_dog_efficientnet",
    "cat_dog_mobilenet",
    "cifar10_cnn",
    "fashion_mlp",
    "mnist_adam",
    "mnist_sgd",
    "tuxpaint_efficientnet",
]
COMMITTED = (ROOT / "params.yaml").read_text("utf-8")
OF_PARAMS = re.findall(r"^  (\w+):\n    input:", COMMITTED, re.M)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with this repository's params.yaml and recipes."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def without_experiments():
    """Our params.yaml with empty sections."""
    text = COMMITTED
    for section, entries in yaml_text.entries(text).items():
        if section != "gate":
            for name in entries:
                text = yaml_text.remove(text, section, name)
    return text


def test_our_params_are_what_three_recipes_make(here):
    (here / "params.yaml").write_text(without_experiments(), "utf-8")
    assert params.load().experiments == {}

    assert cli.main(["add", *OF_PARAMS]) == 0

    assert OF_PARAMS == ["mnist_sgd", "mnist_adam", "fashion_mlp"]
    assert (here / "params.yaml").read_text("utf-8") == COMMITTED


def test_each_is_sound(here):
    assert recipes.names() == NAMES
    for name in NAMES:
        assert recipes.read(name).settings.experiments[name].floors


def test_one_name_means_one_thing_in_all_of_them(here):
    found = {}
    for name in NAMES:
        for section, entries in yaml_text.entries((recipes.read(name)).text).items():
            for entry, text in entries.items() if section != recipes.ABOUT else ():
                assert found.setdefault((section, entry), text) == text


def test_what_is_added_is_taken_out_again(here, capsys):
    assert cli.main(["add", "cat_dog_mobilenet"]) == 0

    added = params.load()
    assert (
        added.experiments["cat_dog_mobilenet"]
        == (recipes.read("cat_dog_mobilenet").settings.experiments["cat_dog_mobilenet"])
    )
    assert added.used_by("cat_dog_mobilenet")["weights"] == {"mobilenet_v2_128"}
    out = capsys.readouterr().out
    assert "downloads 834 MB" in out
    assert "dvc repro report@cat_dog_mobilenet\n" in out
    shutil.copy(ROOT / "dvc.yaml", here)
    tiny_project.run(here, "git", "init", "--quiet")
    tiny_project.dvc(here, "init", "--quiet")
    removed = remove.experiment("cat_dog_mobilenet").entries
    assert "weights.mobilenet_v2_128" in removed
    assert (here / "params.yaml").read_text("utf-8") == COMMITTED


def test_adding_again_changes_nothing(here, capsys):
    assert cli.main(["add", "mnist_sgd"]) == 0
    assert "params.yaml has mnist_sgd\n" in capsys.readouterr().out
    assert (here / "params.yaml").read_text("utf-8") == COMMITTED


def test_where_data_come_from_may_be_changed(here):
    text = without_experiments()
    (here / "params.yaml").write_text(text, "utf-8")
    add.recipe("mnist_sgd")
    path = here / "params.yaml"
    path.write_text(yaml_text.put(path.read_text(), ["datasets", "mnist", "sources"], ["x/{name}"]))

    assert add.recipe("mnist_adam").entries == [
        "prepare.mnist28_validated",
        "experiments.mnist_adam",
    ]
    assert params.load().datasets["mnist"].sources == ["x/{name}"]


def test_an_entry_that_says_something_else_is_refused(here):
    path = here / "params.yaml"
    add.recipe("cifar10_cnn")
    changed = yaml_text.remove(path.read_text(), "experiments", "cifar10_cnn")
    changed = yaml_text.put(changed, ["prepare", "cifar32", "color"], "grayscale")
    path.write_text(changed)

    with pytest.raises(ParamsError, match=r"prepare\.cifar32 must be that of recipes/cifar10_cnn"):
        add.recipe("cifar10_cnn")
    assert path.read_text() == changed


def test_photos_like_a_recipe_bring_what_it_needs(here):
    with zipfile.ZipFile("Vögel 2.zip", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}/1.jpg", b"x")

    assert cli.main(["add", "Vögel 2.zip", "--like", "cat_dog_efficientnet"]) == 0

    settings = params.load()
    experiment = settings.experiments["Vögel_2"]
    assert experiment.input == "features/Vögel_2224_efficientnet_lite0"
    assert (
        experiment.train
        == recipes.read("cat_dog_efficientnet").settings.experiments["cat_dog_efficientnet"].train
    )
    assert experiment.floors is None
    assert "efficientnet_lite0" in settings.weights
    assert "cat_dog_efficientnet" not in settings.experiments
    assert list(settings.datasets["Vögel_2"].files) == ["Vögel 2.zip"]


def test_photos_like_a_recipe_that_is_unsure_have_validation_photos_and_its_exports(here):
    with zipfile.ZipFile("birds.zip", "w") as archive:
        for name in ("owl/1.jpg", "owl/2.jpg", "wren/1.jpg"):
            archive.writestr(name, b"not looked at yet")
    assert cli.main(["add", "birds.zip", "--like", "tuxpaint_efficientnet"]) == 0
    settings = params.load()
    assert settings.datasets["birds"].extract.validation_fraction == 0.15
    assert settings.experiments["birds"].export == "all_formats_unsure"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "nothing must be a recipe (cat_dog_efficientnet, cat_dog_mobilenet, cifar"),
        (["mnist_sgd", "--name", "x"], "--name, --like and --backbone are for photos of your own"),
        (["mnist_sgd", "--like", "x"], "--name, --like and --backbone are for photos of your own"),
        (["none.zip"], "none.zip: not found"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_added(here, capsys, arguments, said):
    assert cli.main(["add", *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("about:", "of:", "must have a section about"),
        ("download_mb: 170", "download_mb: big", "about.download_mb must be a whole number"),
        ("    epochs: 10", "    epochs: 0", "experiments.cifar10_cnn.train.epochs must be greater"),
        (
            "cifar10_cnn:\n    input",
            "other:\n    input",
            "must hold the one experiment",
        ),
        ("dataset: cifar10", "dataset: other", "prepare.cifar32.dataset must be a data set"),
        ("about:", "about: [", "must be YAML"),
        ("about:", "seed: 3\nabout:", "must have no seed, which a project has for all of its"),
    ],
    ids=lambda value: value.strip().split(":")[0],
)
def test_a_recipe_that_breaks_a_rule(here, old, new, said):
    path = here / "recipes/cifar10_cnn.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ParamsError, match=re.escape(said)) as found:
        recipes.read("cifar10_cnn")
    assert str(found.value).startswith("recipes/cifar10_cnn.yaml: ")


def test_they_are_listed(here, capsys):
    assert cli.main(["recipes"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"cifar10_cnn +170 MB +110 s +69\.72 %", out)
    assert "mnist_sgd (added)" in out


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_runs_as_it_is_on_tiny_data(tmp_path, name):
    """But for the digests of its files, its epochs and what its exports may lose on few images."""
    tiny_project.copy_code(tmp_path)
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    (tmp_path / "params.yaml").write_text(without_experiments(), "utf-8")
    tiny_project.run(tmp_path, "git", "init", "--quiet", "--initial-branch=main")
    tiny_project.run(tmp_path, sys.executable, "-m", "imago", "add", name)
    path = tmp_path / "params.yaml"
    values = tiny_project.read_params(tmp_path)
    (dataset,) = values["datasets"]
    files = tiny_sources.MAKERS[dataset](values["datasets"][dataset]["files"])
    for weights, section in values["weights"].items():
        (file,) = section["files"]
        docs_project.write_weights(tmp_path / "published" / file)
        digest = hashlib.sha256((tmp_path / "published" / file).read_bytes()).hexdigest()
        keys = ["weights", weights, "files", file]
        path.write_text(yaml_text.put(path.read_text(), keys, digest))
    for file, content in files.items():
        (tmp_path / "published" / file).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        path.write_text(
            yaml_text.put(path.read_text(), ["datasets", dataset, "files", file], digest)
        )
    (exports,) = values["exports"]
    for keys, value in (
        (["experiments", name, "train", "epochs"], 2),
        (["exports", exports, "greatest_accuracy_loss"], 0.9),
        (["exports", exports, "calibration_images"], 10),
    ):
        path.write_text(yaml_text.put(path.read_text(), keys, value))
    tiny_project.commit(tmp_path, "Begin")

    command = (sys.executable, "-m", "dvc", "repro")
    tiny_project.run(tmp_path, *command, IMAGO_MIRROR=str(tmp_path / "published"))

    assert (tmp_path / "reports" / name / "index.html").is_file()
    assert name in (tmp_path / "reports/index.html").read_text()
    assert "dvc.lock is current" in tiny_project.run(
        tmp_path, sys.executable, "-m", "imago", "check"
    )
