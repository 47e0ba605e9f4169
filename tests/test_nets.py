"""Entries of params.yaml for each net that is offered, and what `imago add --backbone` writes."""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

from imago import backbones, cli, params
from imago.backbones._published import KERAS
from imago.core import paths, registry, sections
from imago.core.errors import ParamsError, SourceError
from imago.project import nets, recipes
from imago.sources import retries
from stages import backbone, fetch_weights
from tests.flaky_server import serving
from tests.tiny_project import ROOT, write_as_published

NETS = registry.offers(backbones)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with this repository's params.yaml and recipes, and photos."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IMAGO_MIRROR", raising=False)
    monkeypatch.setattr(retries, "sleep", lambda _: None)
    photo = cv2.imencode(".png", np.full((30, 40, 3), 90, np.uint8))[1].tobytes()
    with zipfile.ZipFile("birds.zip", "w") as archive:
        for name in ("owl/1.png", "owl/2.png", "wren/1.png", "wren/2.png"):
            archive.writestr(name, photo)
    return tmp_path


def text():
    return Path("params.yaml").read_text("utf-8")


@pytest.mark.parametrize("image_size_px", [224, 300])
@pytest.mark.parametrize("net", NETS)
def test_each_net_has_weights_with_a_source_and_a_digest(net, image_size_px):
    found = nets.entries(net, image_size_px, "average")
    (name, weights), (entry, settings) = found["weights"], found["backbones"]
    assert settings["net"] == net
    assert (settings["weights"], settings["image_size_px"]) == (name, image_size_px)
    assert entry.startswith(name)
    assert entry.endswith(f"_{image_size_px}")
    (digest,) = sections.Weights.model_validate(weights).files.values()
    assert (digest == sections.UNPUBLISHED) == (net == "MobileNetV2")


def test_entries_have_names_of_their_own():
    names = {nets.entries(net, 224, "average")["weights"][0] for net in NETS}
    assert len(names) == len(NETS)


@pytest.mark.parametrize(
    ("image_size_px", "name", "entry"),
    [
        (128, "mobilenet_v2_128", "mobilenet_v2_128"),
        (384, "mobilenet_v2_224", "mobilenet_v2_224_384"),
    ],
)
def test_weights_are_those_for_the_size(image_size_px, name, entry):
    found = nets.entries("MobileNetV2", image_size_px, "average")
    assert (found["weights"][0], found["backbones"][0]) == (name, entry)
    (file,) = found["weights"][1]["files"]
    assert file.endswith(f"1.0_{name[-3:]}_no_top.h5")


@pytest.mark.parametrize("recipe", recipes.names())
def test_recipes_have_the_same_entries(recipe):
    """Else a recipe and a net that is added would each need their own under one name."""
    settings = recipes.read(recipe).settings
    for name, one in settings.backbones.items():
        found = nets.entries(one.net, one.image_size_px, one.pooling)
        entry, weights = found["weights"]
        assert found["backbones"] == (name, one.model_dump())
        assert (entry, sections.Weights.model_validate(weights)) == (
            one.weights,
            settings.weights[one.weights],
        )


def test_photos_on_another_net(here):
    assert cli.main(["add", "birds.zip", "--backbone", "EfficientNetV2B1"]) == 0

    settings = params.load()
    assert settings.prepare["birds240"].image_size_px == 240
    assert settings.experiments["birds"].input == "features/birds240_efficientnet_v2_b1"
    assert settings.features["birds240_efficientnet_v2_b1"].backbone == "efficientnet_v2_b1_240"
    assert settings.backbones["efficientnet_v2_b1_240"].net == "EfficientNetV2B1"
    assert list(settings.weights) == ["efficientnet_v2_b1"]
    assert "image_size_px: 240 # as the photos that its net learnt from\n" in text()
    assert "    files: # no sha256 is published\n" in text()
    assert dumps_yaml(parse_yaml_for_update(text(), "")) == text()


def test_the_net_of_the_recipe_is_added_as_without_the_flag(here):
    cli.main(["add", "birds.zip"])
    wanted = text()
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    cli.main(["add", "birds.zip", "--backbone", "EfficientNetLite0"])
    assert params.load() == params.parse(wanted)


def test_an_experiment_once_more_on_another_net(here, capsys):
    cli.main(["add", "birds.zip"])
    old = "  birds:\n    input:"
    floored = text().replace(old, old.replace("input", "floors: {accuracy: 0.9}\n    input"))
    Path("params.yaml").write_text(floored)
    before = params.load()
    capsys.readouterr()

    assert cli.main(["add", "--like", "birds", "--backbone", "MobileNetV2"]) == 0

    added = (
        "weights.mobilenet_v2_224, backbones.mobilenet_v2_224, features.birds224_mobilenet_v2_224, "
        "experiments.birds_mobilenet_v2_224"
    )
    said = capsys.readouterr().out
    assert f"added to params.yaml, like birds: {added}\n" in said
    assert "    dvc repro report@birds_mobilenet_v2_224\n" in said
    after = params.load()
    assert (after.datasets, after.prepare) == (before.datasets, before.prepare)
    old, new = before.experiments["birds"], after.experiments["birds_mobilenet_v2_224"]
    assert new == old.model_copy(
        update={"input": "features/birds224_mobilenet_v2_224", "floors": None}
    )
    assert "files: # no digest is published\n" in text()

    assert cli.main(["add", "--like", "birds", "--backbone", "MobileNetV2", "--name", "b"]) == 0
    assert "like birds: experiments.b\n" in capsys.readouterr().out


def test_weights_that_were_given_their_digest_are_kept(here):
    cli.main(["add", "birds.zip", "--backbone", "MobileNetV2"])
    Path("params.yaml").write_text(text().replace("unpublished", "f" * 64))
    cli.main(["add", "birds.zip", "--name", "more", "--backbone", "MobileNetV2"])
    assert list(params.load().weights["mobilenet_v2_224"].files.values()) == ["f" * 64]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["more.zip", "--backbone", "VGG16"], "unknown backbone 'VGG16'; there are DenseNet121, "),
        (["birds.zip", "--backbone", "ResNet50"], "imago add --like birds --backbone ResNet50"),
        (
            ["--like", "owls", "--backbone", "ResNet50"],
            "unknown experiment 'owls'; params.yaml",
        ),
        (
            ["--like", "mnist_sgd", "--backbone", "ResNet50"],
            "of a net, and mnist_sgd is not",
        ),
        (["--like", "birds"], "with --like and --backbone"),
        (["mnist_sgd", "--backbone", "ResNet50"], "--backbone are for photos of your own"),
        (["more.zip", "--backbone", "DenseNet121"], "weights.densenet121 must be that of the net"),
    ],
)
def test_what_cannot_be_added_changes_nothing(here, capsys, words, message):
    cli.main(["add", "birds.zip", "--backbone", "EfficientNetV2B0"])
    shutil.copy("birds.zip", "more.zip")
    mine = f"\n  densenet121: {{files: {{mine.h5: {'f' * 64}}}, sources: [own]}}\n"
    Path("params.yaml").write_text(text().replace("\nbackbones:", f"{mine}\nbackbones:"))
    before = text()
    capsys.readouterr()

    assert cli.main(["add", *words]) == 1

    assert message in capsys.readouterr().err
    assert text() == before


def served(server, net, content):
    """Add an experiment on a net whose weights are at a place of our own."""
    (published,) = registry.load(backbones, NETS[net]).PUBLISHED[net]
    folder = published.source.split("/")[-2]
    server.files[f"/{folder}/{published.file}"] = content
    cli.main(["add", "birds.zip", "--backbone", net])
    Path("params.yaml").write_text(text().replace(KERAS, server.url))
    return published


def test_weights_come_from_the_publisher_and_are_verified(here):
    with serving() as server:
        served(server, "ResNet50V2", b"others")
        found = hashlib.md5(b"others").hexdigest()
        with pytest.raises(SourceError, match=f"MD5 is {found}, must be fac2f116257151a9d068a2"):
            fetch_weights.main("resnet50_v2")
    assert not paths.weights("resnet50_v2").exists()


@pytest.mark.slow
def test_a_net_is_fetched_verified_and_built(here):
    """One of keras.applications, with random weights in a file as Keras publishes them."""
    keras.utils.set_random_seed(2)
    net = keras.applications.MobileNetV3Small(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    write_as_published(net, Path("published.h5"))
    content = Path("published.h5").read_bytes()
    with serving() as server:
        published = served(server, "MobileNetV3Small", content)
        digest = f"md5:{hashlib.md5(content).hexdigest()}"
        Path("params.yaml").write_text(text().replace(published.digest, digest))
        fetch_weights.main("mobilenet_v3_small")
    backbone.main("mobilenet_v3_small_224")
    made = keras.saving.load_model(paths.backbone("mobilenet_v3_small_224") / "model.keras")
    assert made.output_shape == (None, 576)


def test_the_docs_list_each_net():
    document = (ROOT / "docs/params.md").read_text("utf-8")
    rows = re.findall(
        r"^\| `(\w+)` \| ([\d, ]+) px \| [\d,]+ \| \d+ MB \| (\w+) \| (\w+) \|$", document, re.M
    )
    told = {sections.UNPUBLISHED: "nothing", "md5": "MD5"}
    wanted = []
    for net in NETS:
        published = registry.load(backbones, NETS[net]).PUBLISHED[net]
        sizes = ", ".join(str(one.image_size_px) for one in published)
        by = "Keras" if published[0].source.startswith(KERAS) else "PyPI"
        wanted.append((net, sizes, by, told.get(published[0].digest.split(":")[0], "sha256")))
    assert rows == wanted


def test_no_such_net():
    with pytest.raises(ParamsError, match="unknown backbone 'resnet50'; there are DenseNet121"):
        nets.usual_px("resnet50")
