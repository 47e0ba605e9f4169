"""params.yaml as a file and as a whole; test_schema.py has its single values."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from imago import params
from imago.core import sections
from imago.core.errors import ImagoError, ParamsError
from tests import tiny_project
from tests.params_text import (
    EARLY_STOPPING,
    EPOCHS,
    NO_SECTION,
    OPTIMIZER,
    REPOSITORY,
    TEXT,
    changed,
    fault,
    lines_saying,
)


def test_committed_params():
    settings = params.load(REPOSITORY / "params.yaml")

    assert {"mnist", "fashion_mnist"} <= set(settings.datasets)
    assert {"mnist_sgd", "mnist_adam", "fashion_mlp"} <= set(settings.experiments)


def test_default_file_is_that_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(changed("seed: 20", "seed: 21"), "utf-8")

    assert params.load().seed == 21


def test_file_is_utf_8(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(changed("[cat, dog]", "[Füchse, 犬]"), "utf-8")

    assert params.load(path).datasets["pets"].extract.classes == ["Füchse", "犬"]


def test_words_of_yaml_1_1_are_text():
    text = changed("[cat, dog]", "[no, yes, on, 1e3, 1:00]")

    classes = params.parse(text).datasets["pets"].extract.classes
    assert classes == ["no", "yes", "on", "1e3", "1:00"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault(
            "{dataset: pets, image_size_px: 32",
            "{dataset: cats, image_size_px: 32",
            "prepare.whole.dataset must be a data set, one of pets, got 'cats'",
            "data set",
        ),
        fault(
            "  tiny:\n",
            "  cards:\n",
            "experiments must not have the name cards, for reports/cards is a folder of its own; "
            "choose another",
        ),
        fault(
            "pixels: prepared/pets4",
            "pixels: prepared/pets5",
            "experiments.tiny.pixels must be a variant, one of prepared/pets4, prepared/whole, "
            "got 'prepared/pets5'",
        ),
        fault(
            "input: prepared/pets4",
            "input: prepared/whole",
            "experiments.tiny.input must be prepared/pets4, as pixels, for the model mlp, "
            "got 'prepared/whole'",
        ),
        fault(
            "pixels: prepared/pets4",
            "pixels: pets4",
            "experiments.tiny.pixels must be prepared/<variant>, got 'pets4'",
        ),
        fault(
            "input: prepared/pets4",
            "input: prepared/pets4/train",
            "experiments.tiny.input must be prepared/<variant> or features/<name>, "
            "got 'prepared/pets4/train'",
        ),
        fault(
            "model: mlp",
            "model: vgg",
            "experiments.tiny.train.model must be one of …'mlp'…, got 'vgg'",
        ),
        fault(
            "model: mlp",
            "model: null",
            "experiments.tiny.train.model must be one of …'mlp'…, got null",
        ),
        fault(
            "layout: idx", "layout: zip", "datasets.pets.layout must be one of …'idx'…, got 'zip'"
        ),
        fault(
            OPTIMIZER,
            "optimizer: lion",
            "experiments.tiny.train.optimizer must be 'adam', 'adamw', 'rmsprop' or 'sgd', "
            "got 'lion'",
        ),
        fault(
            "normalization: rescale",
            "normalization: none",
            "experiments.tiny.train.normalization must be 'rescale' or 'standardize', got 'none'",
        ),
        fault(
            "color: rgb",
            "color: gray",
            "prepare.whole.color must be 'grayscale' or 'rgb', got 'gray'",
        ),
        fault(
            "color: rgb",
            "color: '3'",
            "prepare.whole.color must be 'grayscale' or 'rgb', got '3'",
        ),
        fault(
            "formats: [litert]",
            "formats: [litert, coreml]",
            "exports.small.formats.1 must be 'litert', 'litert_fp16', 'litert_int8', 'onnx' or "
            "'saved_model', got 'coreml'",
        ),
        fault(
            "export: small",
            "export: large",
            "experiments.tiny.export must be an entry of exports, one of small, got 'large'",
        ),
    ],
)
def test_unknown_name_lists_those_there_are(old, new, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: {message}")):
        params.parse(changed(old, new))


def test_each_fault_has_its_line():
    text = changed(EPOCHS, "epochs: 0").replace("color: rgb", "color: gray")

    with pytest.raises(
        ParamsError,
        match=lines_saying(
            "params.yaml: prepare.whole.color must be 'grayscale' or 'rgb', got 'gray'",
            "params.yaml: experiments.tiny.train.epochs must be greater than 0, got 0",
        ),
    ):
        params.parse(text)


def test_each_fault_between_sections_has_its_line():
    text = changed("pixels: prepared/pets4", "pixels: prepared/pets5")
    text = text.replace("{dataset: pets", "{dataset: cats")

    with pytest.raises(
        ParamsError,
        match=lines_saying(
            "params.yaml: prepare.whole.dataset must be a data set, one of pets, got 'cats'",
            "params.yaml: prepare.pets4.dataset must be a data set, one of pets, got 'cats'",
            "params.yaml: experiments.tiny.pixels must be a variant, one of prepared/pets4, "
            "prepared/whole, got 'prepared/pets5'",
        ),
    ):
        params.parse(text)


def test_names_when_there_are_none():
    text = TEXT[: TEXT.index("datasets:")] + "datasets: {}\n" + TEXT[TEXT.index("prepare:") :]
    message = "must be a data set, there is none, got 'pets'"

    with pytest.raises(
        ParamsError,
        match=lines_saying(
            f"params.yaml: prepare.whole.dataset {message}",
            f"params.yaml: prepare.pets4.dataset {message}",
        ),
    ):
        params.parse(text)


def test_early_stopping_without_validation_images():
    text = changed(EPOCHS, EPOCHS + EARLY_STOPPING).replace("prepared/pets4", "prepared/whole")
    message = (
        "params.yaml: experiments.tiny.train.early_stopping needs validation images, "
        "got 0.0 for prepare.whole.validation_fraction"
    )

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(text)


CERTAINTY = "certainty: {temperature: true}\n      "
UNSURE = "unsure: {precision: 0.9}, "


@pytest.mark.parametrize(
    ("train", "unsure", "message"),
    [
        (
            "",
            UNSURE,
            "experiments.tiny.train.certainty must be there, for exports.small.unsure",
        ),
        (
            CERTAINTY,
            "unsure: {unlike: 0.1}, ",
            "experiments.tiny.train.certainty.neighbors must be there, for exports.small.unsure.un",
        ),
        (CERTAINTY, "unsure: {precision: 0.9, coverage: 0.9}, ", "precision or coverage, got both"),
        (CERTAINTY, "unsure: {}, ", "must have one or more of precision, coverage, unlike"),
    ],
)
def test_limits_that_cannot_be_found(train, unsure, message):
    text = changed(EPOCHS, train + EPOCHS).replace("small: {", "small: {" + unsure)
    with pytest.raises(ParamsError, match=re.escape(message)):
        params.parse(text)


def test_a_format_is_named_once():
    twice = re.sub(r"(formats: \[)(\w+)", r"\1\2, \2", TEXT)
    assert twice != TEXT
    message = "exports.small.formats: must name each format once, got "
    with pytest.raises(ParamsError, match=re.escape(message) + r"\w+ twice"):
        params.parse(twice)


def test_a_list_that_is_too_long():
    text = changed("hidden_units: [3, 5]", f"hidden_units: {[2] * 65}")
    message = "experiments.tiny.train.hidden_units must have at most 64, got [2, 2, "
    with pytest.raises(ParamsError, match=re.escape(message)):
        params.parse(text)


@pytest.mark.parametrize("units", ["[16384]", "[2, 16384]"])
def test_a_batch_of_a_dense_layer_is_within_bounds_too(units):
    text = changed("hidden_units: [3, 5]", f"hidden_units: {units}")
    text = re.sub(r"batch_size: \d+", "batch_size: 1000000", text)
    message = "must make at most 1,073,741,824 numbers of a batch in each layer, got 16,384,000,000"
    with pytest.raises(ParamsError, match=message):
        params.parse(text)


def test_certainty_without_validation_images():
    text = changed(EPOCHS, CERTAINTY + EPOCHS).replace("prepared/pets4", "prepared/whole")
    message = "experiments.tiny.train.certainty needs validation images, got 0.0 for prepare.whole"
    with pytest.raises(ParamsError, match=re.escape(message)):
        params.parse(text)


def test_folds_of_what_is_not_a_head_alone():
    folds = CERTAINTY.replace("true", "true, folds: 5")
    message = "tiny.train.certainty.folds must be of heads on features that learn in one phase of"
    with pytest.raises(ParamsError, match=re.escape(message) + ".*, got it with the model mlp"):
        params.parse(changed(EPOCHS, folds + EPOCHS))


FITTED = {
    "optimizer": "adam",
    "learning_rate": 0.1,
    "epochs": 1,
    "batch_size": 8,
    "jit_compile": False,
}
HEAD = FITTED | {"model": "transfer", "hidden_units": [], "dropout": 0.0}


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"fine_tune": FITTED | {"layers": 1}},
        {"early_stopping": {"monitor": "validation_loss", "patience_epochs": 1}},
    ],
    ids=["alone", "fine_tune", "early_stopping"],
)
def test_folds_are_advised_where_they_can_be_and_else_refused(beside):
    settings = tiny_project.settings_with_photos()
    (digits,) = settings["datasets"].keys() - {"photos"}
    settings["prepare"]["photos32"] |= {"dataset": digits, "color": "rgb"}
    train = HEAD | beside | {"certainty": {"temperature": True}}
    settings["experiments"] = {"head": settings["experiments"]["transfer"] | {"train": train}}
    with pytest.raises(ParamsError) as raised:
        params.parse(yaml.safe_dump(settings))
    needs = next(line for line in str(raised.value).splitlines() if "train.certainty needs" in line)
    advice = "" if beside else "; or set certainty.folds, such as 5"
    assert needs.endswith(f"prepare.photos32.validation_fraction{advice}")

    train["certainty"]["folds"] = 5
    if not beside:
        params.parse(yaml.safe_dump(settings))
        return
    with pytest.raises(ParamsError, match=f"folds must be of .*, got it with {min(beside)}; le"):
        params.parse(yaml.safe_dump(settings))


def test_early_stopping_on_training_figures():
    text = changed(EPOCHS, EPOCHS + EARLY_STOPPING.replace("validation_loss", "loss"))
    message = (
        "params.yaml: experiments.tiny.train.early_stopping.monitor must be 'validation_loss' or "
        "'validation_accuracy', got 'loss'"
    )

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(text)


def test_early_stopping_where_the_data_may_hold_validation_images():
    start, end = TEXT.index("    layout:"), TEXT.index("prepare:")
    archive = f"""    layout: image_folder
    licence: MIT
    files: {{pets.zip: {"f" * 64}}}
    sources: [own]
    extract: {{greatest_unreadable_fraction: 0.0, greatest_megapixels: 50}}
"""
    text = changed(EPOCHS, EPOCHS + EARLY_STOPPING).replace("prepared/pets4", "prepared/whole")

    train = params.parse(text[:start] + archive + text[end:]).experiments["tiny"].train

    assert train.early_stopping == sections.EarlyStopping(
        monitor="validation_loss", patience_epochs=3
    )


FEATURES = """
weights:
  net: {files: {net.h5: unpublished}, sources: [own]}
backbones:
  net32: {net: MobileNetV2, weights: net, image_size_px: 32, pooling: average}
features:
  pooled: {variant: whole, backbone: net32}
"""
FINE_TUNE = """
      fine_tune:
        layers: 3
        optimizer: sgd
        learning_rate: 0.001
        epochs: 4
        batch_size: 9
        jit_compile: true"""


def transfer_text(old="", new=""):
    """TEXT with an experiment on features, changed."""
    text = TEXT.replace("\nweights: {}\nbackbones: {}\nfeatures: {}\n", FEATURES)
    text = text.replace("pixels: prepared/pets4", "pixels: prepared/whole")
    text = text.replace("input: prepared/pets4", "input: features/pooled")
    text = text.replace("model: mlp\n      normalization: rescale", "model: transfer")
    assert not old or text.count(old) == 1
    return text.replace(old, new) if old else text


def test_an_experiment_on_features():
    settings = params.parse(transfer_text(EPOCHS, EPOCHS + FINE_TUNE))

    experiment = settings.experiments["tiny"]
    assert (experiment.features, experiment.variant) == ("pooled", "whole")
    assert settings.features["pooled"].variant == "whole"
    assert settings.weights["net"].files == {"net.h5": "unpublished"}
    assert isinstance(experiment.train, sections.TrainOnFeatures)
    assert (experiment.train.epochs, experiment.train.fine_tune.epochs) == (2, 4)
    assert experiment.train.fine_tune.augment is None


def test_an_experiment_on_pixels_has_no_features():
    assert params.parse(TEXT).experiments["tiny"].features is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault(
            "variant: whole",
            "variant: half",
            "features.pooled.variant must be a variant, one of pets4, whole, got 'half'\n"
            "experiments.tiny.input must be features of prepared/whole, there is none, for the "
            "model transfer, got 'features/pooled'",
        ),
        fault(
            "size_px: 32, color: rgb",
            "size_px: 32, color: grayscale",
            "features.pooled.variant must be one with color rgb, got 'whole' with grayscale",
            "grayscale",
        ),
        fault(
            "weights: net,",
            "weights: other,",
            "backbones.net32.weights must be an entry of weights, one of net, got 'other'",
        ),
        fault(
            "backbone: net32",
            "backbone: net64",
            "features.pooled.backbone must be an entry of backbones, one of net32, got 'net64'",
        ),
        fault(
            "image_size_px: 32, pooling",
            "image_size_px: 64, pooling",
            "features.pooled.variant must be one with image_size_px 64, as backbones.net32 has, "
            "got 'whole' with 32",
            "another size",
        ),
        fault(
            "MobileNetV2",
            "MobileNetV9",
            "backbones.net32.net must be …'MobileNetV2'…, got 'MobileNetV9'",
        ),
        fault(
            "pooling: average",
            "pooling: mean",
            "backbones.net32.pooling must be 'average' or 'max', got 'mean'",
        ),
        fault(
            "input: features/pooled",
            "input: features/other",
            "experiments.tiny.input must be features of prepared/whole, one of features/pooled, "
            "for the model transfer, got 'features/other'",
        ),
        fault(
            "input: features/pooled",
            "input: prepared/whole",
            "experiments.tiny.input must be features of prepared/whole, one of features/pooled, "
            "for the model transfer, got 'prepared/whole'",
        ),
        fault(
            "pixels: prepared/whole",
            "pixels: prepared/pets4",
            "experiments.tiny.input must be features of prepared/pets4, there is none, "
            "for the model transfer, got 'features/pooled'",
        ),
        fault(
            "model: transfer",
            "model: mlp\n      normalization: rescale",
            "experiments.tiny.input must be prepared/whole, as pixels, for the model mlp, "
            "got 'features/pooled'",
        ),
        fault(
            EPOCHS,
            EPOCHS + "\n      augment: {zoom: 0.1}",
            "experiments.tiny.train.augment is an unknown key, got {'zoom': 0.1}",
            "augmentation of features",
        ),
        fault(
            EPOCHS,
            EPOCHS + FINE_TUNE.replace("layers: 3", "layers: 0"),
            "experiments.tiny.train.fine_tune.layers must be greater than 0, got 0",
            "no layers",
        ),
        fault(
            EPOCHS,
            EPOCHS + FINE_TUNE.replace("layers: 3", "model: mlp\n        layers: 3"),
            "experiments.tiny.train.fine_tune.model is an unknown key, got 'mlp'",
            "a model in a phase",
        ),
        fault(
            EPOCHS,
            EPOCHS + EARLY_STOPPING,
            "experiments.tiny.train.early_stopping needs validation images, "
            "got 0.0 for prepare.whole.validation_fraction",
            "early stopping",
        ),
    ],
)
def test_bad_experiment_on_features(old, new, message):
    lines = [f"params.yaml: {line}" for line in message.split("\n")]

    with pytest.raises(ParamsError, match=lines_saying(*lines)):
        params.parse(transfer_text(old, new))


@pytest.mark.parametrize("digest", ["f" * 63, "unknown", "null", "f" * 32, f"md5:{'f' * 31}"])
def test_digest_of_weights(digest):
    with pytest.raises(ParamsError, match=r"weights\.net\.files\.net\.h5 must be"):
        params.parse(transfer_text("net.h5: unpublished", f"net.h5: {digest}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", f"{NO_SECTION} null", id="empty"),
        pytest.param("# nothing\n", f"{NO_SECTION} null", id="comments only"),
        pytest.param("- seed\n", f"{NO_SECTION} ['seed']", id="list"),
        pytest.param("seed\n", f"{NO_SECTION} 'seed'", id="string"),
        pytest.param(
            "seed: [20\n", "must be YAML: line 2, column 1: expected ',' or ']'…", id="not YAML"
        ),
        pytest.param(
            "seed: !!python/name:os.system\n",
            "must be YAML: line 1, column 7: tags are not allowed, got …os.system",
            id="tag",
        ),
    ],
)
def test_file_without_a_section(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ParamsError, match=lines_saying(f"{path}: {message}")):
        params.load(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault(
            "seed: 20", "seed: 20\nseed: 20", "line 3, column 1: the key 'seed' stands twice", "top"
        ),
        fault(
            EPOCHS,
            "epochs: 2\n      epochs: 3",
            "line 36, column 7: the key 'epochs' stands twice",
            "in a section",
        ),
        fault(
            "color: rgb",
            "color: rgb, color: rgb",
            "line 14, column 57: the key 'color' stands twice",
            "in braces",
        ),
    ],
)
def test_key_that_stands_twice(old, new, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: must be YAML: {message}")):
        params.parse(changed(old, new))


def test_merge_keys():
    text = changed("  whole: {dataset", "  whole: &whole {dataset").replace(
        "  pets4: {dataset: pets, image_size_px: 4, color: grayscale, ",
        "  pets4: {<<: *whole, image_size_px: 4, ",
    )

    merged = params.parse(text).prepare["pets4"]
    assert (merged.dataset, merged.color, merged.image_size_px) == ("pets", "rgb", 4)
    assert merged.validation_fraction == 0.2


def test_file_that_is_not_utf_8(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(changed("[cat, dog]", "[Füchse, dog]").encode("latin-1"))

    with pytest.raises(
        ParamsError, match=lines_saying(f"{path}: must be UTF-8 text, got byte 0xfc")
    ):
        params.load(path)


def test_missing_file(tmp_path):
    path = tmp_path / "params.yaml"

    with pytest.raises(
        ParamsError,
        match=lines_saying(f"{path}: not found; run imago's commands in the folder that holds it"),
    ):
        params.load(path)


def test_faults_of_params_can_be_handled_with_all_of_imagos():
    assert issubclass(ParamsError, ImagoError)
    assert issubclass(ParamsError, ValueError)


def test_pick():
    variants = params.parse(TEXT).prepare

    assert params.pick(variants, "variant", "whole") is variants["whole"]
    with pytest.raises(
        ParamsError, match=lines_saying("unknown variant 'pets5'; params.yaml has pets4, whole")
    ):
        params.pick(variants, "variant", "pets5")


def test_pick_from_nothing():
    with pytest.raises(
        ParamsError, match=lines_saying("unknown experiment 'tiny'; params.yaml has none")
    ):
        params.pick({}, "experiment", "tiny")


NEW_MODEL = """
from typing import Literal

from imago.core import sections


class Settings(sections.TrainOnPixels):
    model: Literal["newcomer"]
    depth: sections.Positive
"""


LOAD_WITH_NEW_MODEL = """
import sys

from imago import models

models.__path__.append(sys.argv[1])

from imago import params
from imago.core.errors import ParamsError

try:
    train = params.load().experiments["tiny"].train
except ParamsError as error:
    print(error)
else:
    print(type(train).__module__, train.depth)
"""


def load_with_new_model(folder, text):
    """Load params.yaml in a process in which imago.models has a new model and its helper."""
    (folder / "models").mkdir()
    (folder / "models/newcomer.py").write_text(NEW_MODEL, "utf-8")
    (folder / "models/_newcomer_layers.py").write_text("raise SystemError('imported')", "utf-8")
    (folder / "params.yaml").write_text(text, "utf-8")
    return subprocess.run(
        [sys.executable, "-c", LOAD_WITH_NEW_MODEL, folder / "models"],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize(
    ("model", "said"),
    [
        pytest.param("newcomer", "imago.models.newcomer 7", id="found"),
        pytest.param(
            "vgg",
            "params.yaml: experiments.tiny.train.model must be one of …'mlp'…, 'newcomer'…, "
            "got 'vgg'",
            id="listed",
        ),
        pytest.param(
            "_newcomer_layers",
            "params.yaml: experiments.tiny.train.model must be one of …'mlp'…, 'newcomer'…, "
            "got '_newcomer_layers'",
            id="helper",
        ),
    ],
)
def test_new_model_is_found_by_its_name(tmp_path, model, said):
    text = changed("model: mlp", f"model: {model}").replace("hidden_units: [3, 5]", "depth: 7")
    text = text.replace("      dropout: 0.5\n", "")

    assert re.search(lines_saying(said), load_with_new_model(tmp_path, text).rstrip())


LOAD_WITH_NEW_ENTRY = """
import importlib, sys

importlib.import_module(sys.argv[1]).__path__.append(sys.argv[2])

from imago import params
from imago.core.errors import ParamsError

try:
    settings = params.load()
except ParamsError as error:
    print(error)
else:
    print(settings.backbones["net32"].net, settings.exports["small"].formats)
"""


@pytest.mark.parametrize(
    ("package", "content", "text", "said"),
    [
        pytest.param(
            "imago.backbones",
            'NAMES = ("AlexNet", "AlexNet2")',
            transfer_text("MobileNetV2", "AlexNet2"),
            "AlexNet2 ['litert']",
            id="net",
        ),
        pytest.param(
            "imago.backbones",
            'NAMES = ("AlexNet", "AlexNet2")',
            transfer_text("MobileNetV2", "AlexNet3"),
            "params.yaml: backbones.net32.net must be 'AlexNet', 'AlexNet2', 'DenseNet121'…"
            " or 'ResNet50V2', got 'AlexNet3'",
            id="net listed",
        ),
        pytest.param(
            "imago.exports.formats",
            "raise SystemError('imported')",
            transfer_text("[litert]", "[newcomer, litert]"),
            "MobileNetV2 ['newcomer', 'litert']",
            id="format",
        ),
        pytest.param(
            "imago.exports.formats",
            "raise SystemError('imported')",
            transfer_text("[litert]", "[newcomer, coreml]"),
            "params.yaml: exports.small.formats.1 must be …, 'newcomer'…, got 'coreml'",
            id="format listed",
        ),
    ],
)
def test_new_entry_is_found_by_its_name(tmp_path, package, content, text, said):
    (tmp_path / "entries").mkdir()
    (tmp_path / "entries/newcomer.py").write_text(content, "utf-8")
    (tmp_path / "entries/_helper.py").write_text("raise SystemError('imported')", "utf-8")
    (tmp_path / "params.yaml").write_text(text, "utf-8")

    found = subprocess.run(
        [sys.executable, "-c", LOAD_WITH_NEW_ENTRY, package, tmp_path / "entries"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert re.search(lines_saying(said), found.rstrip())


def test_tensorflow_is_not_imported():
    script = "import sys; from imago import params; params.load(); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.split()

    assert "imago.models.mlp" in modules
    assert "imago.scoring.metrics.accuracy" in modules
    assert not {"keras", "tensorflow", "pandas", "scipy", "sklearn"} & set(modules)
