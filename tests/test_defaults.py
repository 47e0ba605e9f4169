"""The rules by which `imago add` chooses, as a table, and what it writes of them."""

import shutil
import zipfile

import cv2
import numpy as np
import pytest
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

from imago import cli, params
from imago.datasets.image_folder import contents
from imago.project import defaults, facts, recipes
from imago.project.defaults import Facts
from tests.tiny_project import ROOT


def of(counts, *, has_test=False, validation=0, length=1.3):
    """Return what is chosen, by key."""
    given = Facts(counts=counts, has_test=has_test, validation=validation, length=length)
    return {choice.key: choice for choice in defaults.choose(given)}


@pytest.mark.parametrize(
    ("photos", "share", "reason"),
    [
        (60, 0.2, "about 12 photos: 90 % right would mean 65 to 99 %"),
        (480, 0.2, "about 96 photos: 90 % right would mean 82 to 94 %"),
        (2_000, 0.2, "about 400 photos: 90 % right would mean 87 to 93 %"),
        (3_000, 0.13, "about 390 photos: 90 % right would mean 87 to 93 %"),
        (20_000, 0.1, "about 2,000 photos: 90 % right would mean 89 to 91 %"),
    ],
)
def test_the_share_of_the_test_depends_on_what_it_is_worth(photos, share, reason):
    chosen = of({"a": photos // 2, "b": photos // 2})["test_fraction"]
    assert (chosen.value, chosen.reason) == (share, reason)


def test_nothing_is_drawn_where_there_is_a_test_folder():
    assert "test_fraction" not in of({"a": 30, "b": 30}, has_test=True)


@pytest.mark.parametrize(
    ("photos", "epochs", "reason"),
    [
        (60, 300, "of 2 steps, so 600 in all"),
        (480, 50, "of 12 steps, so 600 in all"),
        (20_000, 30, "of 500 steps, so 15,000 in all"),
    ],
)
def test_epochs_make_as_many_steps_as_a_head_needs(photos, epochs, reason):
    chosen = of({"a": photos // 2, "b": photos // 2})["epochs"]
    assert (chosen.value, chosen.reason) == (epochs, reason)


@pytest.mark.parametrize(
    ("length", "fit", "side"),
    [(1.0, "crop", 224), (1.5, "crop", 224), (1.6, "pad", 384), (3.0, "pad", 384)],
)
def test_of_oblong_photos_nothing_is_cut_off(length, fit, side):
    chosen = of({"a": 30, "b": 30}, length=length)
    assert (chosen["fit"].value, chosen["image_size_px"].value) == (fit, side)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"a": 30, "b": 30}, None),
        ({"a": 44, "b": 30}, None),
        ({"a": 45, "b": 30}, "classes of 30 to 45 photos count the same"),
        ({"a": 3000, "b": 120, "c": 20}, "classes of 20 to 3,000 photos count the same"),
    ],
)
def test_unlike_classes_are_weighted(counts, reason):
    chosen = of(counts).get("class_weights")
    assert (chosen and chosen.reason) == reason


@pytest.mark.parametrize(
    ("photos", "validation", "reason"),
    [
        (60, 0, "all are learnt from; to try settings, imago crossvalidate"),
        (1_200, 0, "all are learnt from; to try settings, imago crossvalidate"),
        (60, 100, "there are validation photos"),
        (60, 99, "there are validation photos"),
        (5_000, 16, "there are validation photos"),
    ],
)
def test_no_validation_photos_are_held_out_of_few(photos, validation, reason):
    counts = {"a": photos // 2, "b": photos // 2}
    chosen = of(counts, validation=validation)
    assert chosen["validation_fraction"][2:] == (0.0, reason)
    known = {"temperature": True, "neighbors": 1000}
    assert chosen["certainty"].value == (known if validation >= 100 else known | {"folds": 5})
    assert chosen["unsure"].value == {"precision": 0.9, "unlike": 0.05}


def test_of_a_handful_nobody_can_tell_how_sure_a_model_may_be():
    assert not {"certainty", "unsure"} & of({"a": 10, "b": 9}).keys()
    assert {"certainty", "unsure"} <= of({"a": 30, "b": 9}).keys()


def test_of_many_some_tell_how_sure_a_model_may_be():
    given = Facts(counts={"a": 900, "b": 900}, has_test=False, validation=0, length=1.3)
    chosen = {(one.place, one.key): one.value for one in defaults.choose(given)}
    assert chosen["extract", "validation_fraction"] == 0.1
    assert chosen["prepare", "validation_fraction"] == 0.0
    assert chosen["train", "certainty"] == {"temperature": True, "neighbors": 1000}
    assert chosen["exports", "unsure"] == {"precision": 0.9, "unlike": 0.05}


def test_add_writes_what_makes_a_model_unsure(project_of_recipes, monkeypatch, capsys):
    monkeypatch.setattr(defaults, "FEW_PHOTOS", 4)
    archive_of(project_of_recipes / "birds.zip", (20, 30))

    assert cli.main(["add", "birds.zip"]) == 0

    assert "fit crop, validation_fraction 0.1, epochs" in capsys.readouterr().out
    text = (project_of_recipes / "params.yaml").read_text("utf-8")
    assert dumps_yaml(parse_yaml_for_update(text, "")) == text
    settings = params.load()
    extract, birds = settings.datasets["birds"].extract, settings.experiments["birds"]
    assert (extract.validation_fraction, extract.keep_together) == (0.1, True)
    assert birds.train.certainty.neighbors == 1000
    assert birds.export == "all_formats_unsure"
    assert settings.exports[birds.export].unsure.unlike == 0.05
    assert settings.exports["all_formats"].unsure is None
    again = "tuxpaint_efficientnet"  # which has exports of this name, too
    assert cli.main(["add", again]) == 0
    assert params.load().experiments[again].export == birds.export


@pytest.mark.parametrize("length", [1.0, 3.0])
@pytest.mark.parametrize("counts", [{"a": 1, "b": 1}, {str(n): 10**5 + n for n in range(3000)}])
def test_reasons_are_short_and_values_bear_the_greatest_sets(counts, length):
    for choice in of(counts, length=length).values():
        assert 10 < len(choice.reason) < 75
        assert "\n" not in choice.reason


@pytest.fixture
def project_of_recipes(tmp_path, monkeypatch):
    """A folder with this repository's params.yaml and recipes."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photo(height, width):
    image = np.full((height, width, 3), 90, np.uint8)
    return cv2.imencode(".png", image)[1].tobytes()


def archive_of(path, shape, *, per_class=(2, 4), broken=()):
    with zipfile.ZipFile(path, "w") as archive:
        for name, count in zip(("owl", "wren"), per_class, strict=True):
            for index in range(count):
                content = b"x" if index in broken else photo(*shape)
                archive.writestr(f"{name}/{index}.png", content)
    return path


@pytest.mark.parametrize(
    ("shape", "broken", "length"),
    [((20, 60), (), 3.0), ((60, 20), (0,), 3.0), ((30, 30), (), 1.0), ((9, 9), range(9), 1.0)],
    ids=["lying", "standing, some broken", "square", "all broken"],
)
def test_facts(tmp_path, shape, broken, length):
    path = archive_of(tmp_path / "birds.zip", shape, broken=broken)
    with contents.opened([path], "birds") as (archive, found):
        known = facts.find(archive, found)
    assert known == Facts(counts={"owl": 2, "wren": 4}, has_test=False, validation=0, length=length)


def test_few_of_many_photos_are_looked_at(tmp_path, monkeypatch):
    path = archive_of(tmp_path / "birds.zip", (8, 16), per_class=(100, 33))
    looked, decode = [], facts.decoding.decode
    monkeypatch.setattr(facts.decoding, "decode", lambda *a: (looked.append(1), decode(*a))[1])
    with contents.opened([path], "birds") as (archive, found):
        assert facts.find(archive, found).length == 2.0
    assert facts.PHOTOS_LOOKED_AT <= len(looked) < 2 * facts.PHOTOS_LOOKED_AT


def test_add_writes_what_was_chosen_with_reasons_and_as_dvc_does(project_of_recipes, capsys):
    archive_of(project_of_recipes / "birds.zip", (20, 60))

    assert cli.main(["add", "birds.zip"]) == 0

    said = capsys.readouterr().out
    assert (
        "chosen from what they are: test_fraction 0.2, image_size_px 384, fit pad, "
        "epochs 600, class_weights balanced\n"
        "added to params.yaml, as birds, with the reason beside each value\n"
    ) in said
    text = (project_of_recipes / "params.yaml").read_text("utf-8")
    assert dumps_yaml(parse_yaml_for_update(text, "")) == text
    side = "image_size_px: 384 # photos are 3.0 times as long as wide: room for their short side"
    assert f"    {side}\n" in text
    assert "      class_weights: balanced # classes of 2 to 4 photos count the same\n" in text
    settings = params.load()
    train = settings.experiments["birds"].train
    assert (train.epochs, train.learning_rate, train.class_weights) == (600, 0.001, "balanced")
    assert settings.datasets["birds"].extract.test_fraction == 0.2
    assert settings.datasets["birds"].extract.keep_together
    assert settings.prepare["birds384"].fit == "pad"
    features = settings.features["birds384_efficientnet_lite0"]
    assert features.backbone == "efficientnet_lite0_384"
    assert settings.backbones["efficientnet_lite0_384"].image_size_px == 384


def test_like_a_recipe_nothing_is_chosen(project_of_recipes, capsys):
    archive_of(project_of_recipes / "birds.zip", (20, 60))

    assert cli.main(["add", "birds.zip", "--like", defaults.RECIPE]) == 0

    assert "added to params.yaml, as birds, like cat_dog_efficientnet\n" in capsys.readouterr().out
    train = params.load().experiments["birds"].train
    assert (train.epochs, train.learning_rate, train.class_weights) == (30, 0.001, None)


def test_steps_are_counted_by_the_batches_of_the_recipe(project_of_recipes):
    recipe = recipes.read(defaults.RECIPE)
    training = recipe.settings.experiments[defaults.RECIPE].train
    assert (training.batch_size, training.epochs) == (defaults.BATCH_SIZE, defaults.LEAST_EPOCHS)
