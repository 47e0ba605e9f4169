import contextlib
import functools
import json
import re

import keras
import numpy as np
import pandas as pd
import pytest
import yaml

from imago import params
from imago.core import files, sections
from imago.core.errors import DataError, ExtensionError, ParamsError
from imago.data import arrays, writing
from imago.data.arrays import Statistics
from imago.images import augment
from imago.models import mlp
from imago.runtimes import certainty, determinism, model_json, saving
from imago.training import callbacks, out_of_fold, phases
from imago.training.checkpoints import FileCheckpoint
from stages import train
from tests import made_up, tiny_project
from tests.trees import damage

CLASSES = ("top", "middle", "bottom")
COLUMNS = "epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate"
STATISTICS = {1: Statistics([90.0], [2500.0]), 3: Statistics([90.0] * 3, [2500.0] * 3)}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Experiment `plain` has no validation split, `validated` one with labels that mislead."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IMAGO_TENSORBOARD", raising=False)
    write_params(tmp_path)
    labels = np.arange(60, dtype=np.int32) % 3
    for variant, shape in (("tiny8", (8, 8, 1)), ("tiny6", (6, 6, 3))):
        with writing.splits(tmp_path / "data/prepared" / variant, CLASSES, shape) as writer:
            writer.statistics = STATISTICS[shape[2]]
            writer.add("train", labels, [images_of(labels, shape)])
            if variant == "tiny6":
                wrong = np.where(np.arange(15) < 5, 2 - labels[:15], labels[:15])
                writer.add("validation", wrong, [images_of(labels[:15], shape)])
            writer.add("test", labels[:3], [images_of(labels[:3], shape)])
    return tmp_path


def images_of(labels, shape):
    images = np.random.default_rng(4).integers(0, 120, (len(labels), *shape), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label * 2 : label * 2 + 3] += 90
    return images


def write_params(tree, seed=20, only=None, **train_keys):
    """Write params.yaml, with keys of the experiments' `train` sections set to other values."""
    plain = json.loads(json.dumps(tiny_project.settings())) | {"seed": seed}
    for name in [only] if only else plain["experiments"]:
        plain["experiments"][name]["train"] |= {"jit_compile": False} | train_keys
    tiny_project.write_params(tree, plain)


def write_features(tree, backbone_seed=3, splits=("train", "validation")):
    """Write a variant, `pets8`, and the features of its images by a tiny backbone."""
    labels = np.arange(60, dtype=np.int32) % 3
    images, (backbone, features) = (
        images_of(labels, (8, 8, 3)),
        backbone_and_features(backbone_seed),
    )
    rows = {"train": slice(None, 45), "validation": slice(45, None)}
    with writing.splits(tree / "data/prepared/pets8", CLASSES, (8, 8, 3)) as writer:
        for split in splits:
            writer.add(split, labels[rows[split]], [images[rows[split]]])
    with writing.splits(tree / "data/features/pets8", CLASSES, (4,)) as writer:
        for split in splits:
            writer.add(split, labels[rows[split]], [features[rows[split]]])
        saving.write_model(writer.folder / "backbone.keras", backbone)


@functools.cache
def backbone_and_features(seed):
    backbone = build_backbone(seed)
    images = images_of(np.arange(60, dtype=np.int32) % 3, (8, 8, 3))
    return backbone, backbone.predict(images, verbose=0)


def build_backbone(seed):
    """Two convolutions with batch normalization between them, all frozen, from 8×8 to 4."""
    determinism.enable(seed)
    norm = keras.layers.BatchNormalization(name="norm", moving_mean_initializer="ones")
    pixels = keras.Input((8, 8, 3), dtype="uint8", name="pixels")
    outputs = keras.layers.Rescaling(1 / 64, name="scale")(pixels)
    outputs = norm(keras.layers.Conv2D(8, 3, activation="relu", name="first")(outputs))
    outputs = keras.layers.Conv2D(4, (3, 6), activation="relu", name="second")(outputs)
    outputs = keras.layers.GlobalMaxPooling2D(name="pool")(outputs)
    model = keras.Model(pixels, outputs, name="backbone")
    model.trainable = False
    return model


HEAD = {
    "model": "transfer",
    "hidden_units": [8],
    "dropout": 0.0,
    "optimizer": "adam",
    "learning_rate": 0.02,
    "epochs": 2,
    "batch_size": 15,
    "jit_compile": False,
}
FINE_TUNE = {
    "layers": 1,  # second: pool has no weights, norm stays frozen
    "optimizer": "adam",
    "learning_rate": 0.001,
    "epochs": 4,
    "batch_size": 15,
    "jit_compile": False,
}


def write_transfer_params(tree, **train_keys):
    """Write a params.yaml with the one experiment `transfer`, on the features of `pets8`."""
    form = {"image_size_px": 32, "color": "rgb", "fit": "stretch", "interpolation": "area"}
    published = {"files": {"a": "f" * 64}, "sources": ["published"]}
    extract = {"greatest_unreadable_fraction": 0.0, "greatest_megapixels": 1}
    net = {"net": "MobileNetV2", "weights": "w", "image_size_px": 32, "pooling": "max"}
    features = {"variant": "pets8", "backbone": "net32"}
    experiment = {
        "input": "features/pets8",
        "pixels": "prepared/pets8",
        "train": HEAD | train_keys,
        "export": tiny_project.EXPORT,
    }
    plain = {
        "seed": 20,
        "datasets": {
            "pets": {"layout": "image_folder", "licence": "MIT", "extract": extract, **published}
        },
        "prepare": {"pets8": {"dataset": "pets", "validation_fraction": 0.0, **form}},
        "weights": {"w": published},
        "backbones": {"net32": net},
        "features": {"pets8": features},
        "exports": tiny_project.EXPORTS,
        "experiments": {"transfer": experiment},
    }
    tiny_project.write_params(tree, plain)


def history_of(tree, experiment):
    return pd.read_csv(tree / "reports" / experiment / "history.csv")


def outputs(tree, experiment):
    """The bytes of all that the stage has written for an experiment."""
    folders = [tree / "models" / experiment, tree / "reports" / experiment]
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def states(tree, experiment):
    """What is left of unfinished trainings."""
    folder = tree / ".imago/training" / experiment
    return sorted(folder.iterdir()) if folder.exists() else []


def train_afresh(experiment):
    """Train as a new process does: Keras numbers the names of layers anew."""
    keras.utils.clear_session()
    train.main(experiment)


def train_undisturbed(tree, experiment):
    """Train, and take what was written away."""
    train_afresh(experiment)
    written = outputs(tree, experiment)
    for name in written:
        (tree / name).unlink()
    return written


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("imago")]


def beginnings(caplog):
    return [re.split("[:,]", message)[0] for message in messages(caplog)]


class KilledError(Exception):
    """Stands for a kill: whatever runs is torn off."""


def killed(*_, **__):
    raise KilledError


def kill_in_epoch(monkeypatch, epoch):
    """Tear the training off at the end of an epoch, before its state is kept."""
    build = callbacks.build
    killer = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda index, _: killed() if index == epoch - 1 else None
    )
    monkeypatch.setattr(callbacks, "build", lambda *given: [*build(*given), killer])


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["graph", "xla"]
)
def test_writes_the_model_its_classes_and_its_history(tree, monkeypatch, jit_compile):
    monkeypatch.setenv("IMAGO_TENSORBOARD", "0")
    write_params(tree, jit_compile=jit_compile)

    train.main("plain")

    assert list(outputs(tree, "plain")) == [
        "models/plain/model.json",
        "models/plain/model.keras",
        "models/plain/model.tflite",
        "reports/plain/history.csv",
    ]
    model, classes = saving.read(tree / "models/plain")
    assert classes == CLASSES
    assert (model.input_shape, model.output_shape) == ((None, 8, 8, 1), (None, 3))
    history = history_of(tree, "plain")
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert history["learning_rate"].tolist() == pytest.approx([0.01] * 8)
    assert history["accuracy"].iloc[-1] > 0.9 > history["accuracy"].iloc[0]
    header, *rows = (tree / "reports/plain/history.csv").read_text("utf-8").splitlines()
    assert header == COLUMNS
    assert [row.split(",")[3:5] for row in rows] == [["", ""]] * 8  # there is no validation split
    assert states(tree, "plain") == []
    assert not (tree / ".imago/tensorboard").exists()


def test_steps_are_those_of_softmax_regression(tree):
    one_layer = {"hidden_units": [], "normalization": "rescale", "batch_size": 60}
    write_params(tree, **one_layer, optimizer="sgd", learning_rate=0.25, epochs=2)

    train.main("plain")

    split = arrays.read_split(tree / "data/prepared/tiny8", "train")
    pixels, truth = split.images.reshape(60, 64) / 255, np.eye(3)[split.labels]
    determinism.enable(20)
    settings = params.load().experiments["plain"].train
    weights, bias = mlp.build(settings, (8, 8, 1), 3, STATISTICS[1]).get_weights()
    expected = []
    for _ in range(2):
        powers = np.exp(pixels @ weights + bias)
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        loss = -np.log((probabilities * truth).sum(axis=1)).mean()
        expected.append([loss, (probabilities.argmax(axis=1) == split.labels).mean()])
        weights = weights - 0.25 * pixels.T @ (probabilities - truth) / 60
        bias = bias - 0.25 * (probabilities - truth).mean(axis=0)
    found = saving.read(tree / "models/plain")[0].get_weights()
    np.testing.assert_allclose(found[0], weights, atol=1e-5)
    np.testing.assert_allclose(found[1], bias, atol=1e-5)
    history = history_of(tree, "plain")[["loss", "accuracy"]]
    np.testing.assert_allclose(history.to_numpy(), expected, atol=1e-5)


def test_a_batch_may_be_greater_than_each_split(tree):
    small = {"hidden_units": [], "optimizer": "sgd", "dropout": 0.0}
    write_params(tree, epochs=1, batch_size=61, jit_compile=True, **small)

    train.main("validated")

    assert len(history_of(tree, "validated")) == 1


def test_a_model_without_an_output_for_each_class(tree, monkeypatch):
    def build(_settings, image_shape, _classes, _statistics):
        pixels = keras.Input(image_shape, dtype="uint8")
        flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
        return keras.Model(pixels, keras.layers.Dense(4, activation="softmax")(flat))

    monkeypatch.setattr(mlp, "build", build)
    message = (
        r"^imago/models/mlp\.py: build must give a model with the output \(None, 3\), one for "
        r"each class, got \(None, 4\)$"
    )
    with pytest.raises(ExtensionError, match=message):
        train.main("plain")


@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy"])
def test_early_stopping_ends_early_with_the_best_epochs_weights(tree, monitor):
    stopping = {"monitor": monitor, "patience_epochs": 3}
    write_params(tree, only="validated", early_stopping=stopping, epochs=40, learning_rate=0.001)

    train.main("validated")

    history = history_of(tree, "validated")
    values = history[monitor]
    best = values.argmin() if monitor.endswith("loss") else values.argmax()
    assert best > 0  # so that neither the first nor the last epoch's weights would do
    assert len(history) == best + 1 + 3 < 40
    assert history["validation_loss"].nunique() == len(history)  # so that it tells epochs apart
    model, _ = saving.read(tree / "models/validated")
    split = arrays.read_split(tree / "data/prepared/tiny6", "validation")
    found = model.predict(split.images, verbose=0)
    row = history.iloc[best]
    assert made_up.value("loss", split.labels, found) == pytest.approx(row["validation_loss"])
    accuracy = (found.argmax(axis=1) == split.labels).mean()
    assert accuracy == pytest.approx(row["validation_accuracy"])


def test_a_stopped_training_goes_on_and_comes_to_the_same_bytes(tree, monkeypatch, caplog):
    """Without validation images, tests/test_pipeline.py does it by killing the process."""
    experiment = "validated"
    undisturbed = train_undisturbed(tree, experiment)
    with monkeypatch.context() as patch:
        kill_in_epoch(patch, 4)
        with pytest.raises(KilledError):
            train_afresh(experiment)
    assert outputs(tree, experiment) == {}
    assert len(states(tree, experiment)) == 1

    with caplog.at_level("INFO", "imago"):
        train_afresh(experiment)

    first, *others = messages(caplog)
    assert first == "goes on after epoch 3, which an earlier run finished"
    last_epoch = len(history_of(tree, experiment))
    assert last_epoch > 4
    assert [message.split(":")[0] for message in others] == [
        f"epoch {epoch}/8" for epoch in range(4, last_epoch + 1)
    ]
    assert outputs(tree, experiment) == undisturbed
    assert states(tree, experiment) == []


def test_a_run_stopped_while_it_writes_is_not_trained_again(tree, monkeypatch, caplog):
    """Early stopping has ended the training; each run comes a step further than the one before."""
    stopping = {"monitor": "validation_loss", "patience_epochs": 1}
    write_params(tree, only="validated", early_stopping=stopping, epochs=40, learning_rate=0.05)
    undisturbed = train_undisturbed(tree, "validated")
    for step in ((saving, "write"), (files, "write_csv"), (FileCheckpoint, "remove")):
        with monkeypatch.context() as patch:
            patch.setattr(*step, killed)
            with pytest.raises(KilledError):
                train_afresh("validated")
        assert len(states(tree, "validated")) == 1

    with caplog.at_level("INFO", "imago"):
        train_afresh("validated")

    epochs = len(history_of(tree, "validated"))
    assert epochs < 40
    assert messages(caplog) == [f"goes on after epoch {epochs}, which an earlier run finished"]
    assert outputs(tree, "validated") == undisturbed
    assert states(tree, "validated") == []


def keys_of_phases(experiment):
    """What tells the states of an experiment's phases from those of all others; trains none."""
    keys = []

    def run(model, phase):
        keys.append(phase.key)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phases, "run", run)
        patch.setattr(saving, "write", killed)
        with pytest.raises(KilledError):
            train.main(experiment)
    return keys


def test_a_state_of_other_settings_is_not_used(tree):
    keys = []
    for change in ({}, {"learning_rate": 0.02}, {"seed": 21}):
        write_params(tree, **change)
        keys += keys_of_phases("plain")
    assert len(set(keys)) == 3


def test_the_test_split_is_not_read_and_tensorboard_gets_event_files(tree, monkeypatch):
    read, asked_for = arrays.read_split, []

    def record(folder, split):
        asked_for.append((folder.as_posix(), split))
        return read(folder, split)

    monkeypatch.setattr(arrays, "read_split", record)
    monkeypatch.setenv("IMAGO_TENSORBOARD", "1")
    write_params(tree, epochs=1)

    train.main("validated")

    assert asked_for == [("data/prepared/tiny6", split) for split in ("train", "validation")]
    found = (tree / ".imago/tensorboard/validated").glob("*/*/events.out.tfevents.*")
    assert sorted(path.parent.name for path in found) == ["train", "validation"]


@pytest.mark.usefixtures("tree")
def test_unknown_experiment():
    message = r"unknown experiment 'plane'; params\.yaml has plain, validated"
    with pytest.raises(ParamsError, match=message):
        train.main("plane")


def test_missing_data(tree):
    (tree / "data/prepared/tiny8/dataset.json").unlink()

    message = r"data/prepared/tiny8/dataset\.json: not found; run the stage that writes"
    with pytest.raises(DataError, match=message):
        train.main("plain")
    assert not (tree / "models").exists()


def test_balanced_class_weights_reach_the_loss(tree):
    labels = np.repeat(np.arange(3, dtype=np.int32), [30, 20, 10])
    images = images_of(labels, (8, 8, 1))
    with writing.splits(tree / "data/prepared/tiny8", CLASSES, (8, 8, 1)) as writer:
        writer.statistics = STATISTICS[1]
        writer.add("train", labels, [images])
    write_params(tree, only="plain", class_weights="balanced", epochs=1, batch_size=60, dropout=0.0)

    train.main("plain")

    losses = losses_before_training(images, labels)
    of_classes = [losses[labels == label].mean() for label in range(3)]
    assert history_of(tree, "plain")["loss"][0] == pytest.approx(np.mean(of_classes), rel=1e-5)
    assert np.mean(of_classes) != pytest.approx(losses.mean(), rel=1e-3)


def test_augmentation_reaches_the_training_images(tree):
    changes = {"rotation_degrees": 90, "brightness": 0.5}
    write_params(tree, only="plain", augment=changes, epochs=1, batch_size=60, dropout=0.0)

    train.main("plain")

    split = arrays.read_split(tree / "data/prepared/tiny8", "train")
    rows, changed = augmented(split.images, changes)
    losses = losses_before_training(changed, split.labels[rows])
    assert history_of(tree, "plain")["loss"][0] == pytest.approx(losses.mean(), rel=1e-5)


def losses_before_training(images, labels):
    """The loss of each example in nats, by the model that `plain` begins with."""
    determinism.enable(20)
    settings = params.load().experiments["plain"].train
    return losses_of(mlp.build(settings, (8, 8, 1), 3, STATISTICS[1]), images, labels)


def losses_of(model, images, labels):
    return -np.log(model.predict(images, verbose=0)[np.arange(len(labels)), labels])


def augmented(images, changes):
    """The rows of the first epoch in their order, and the images as they are then."""
    random = np.random.default_rng([20, 0])
    rows = random.permutation(len(images))
    draws = augment.draw(sections.Augment(**changes), len(images), random)
    return rows, augment.apply(images[rows], draws)


def test_early_stopping_needs_validation_images(tree):
    stopping = {"monitor": "validation_loss", "patience_epochs": 3}
    write_features(tree, splits=["train"])
    write_transfer_params(tree, early_stopping=stopping)

    message = "data/features/pets8: must have validation images for early_stopping, got none"
    with pytest.raises(DataError, match=message):
        train.main("transfer")
    assert not (tree / "models").exists()


def test_the_model_of_a_head_is_the_backbone_with_the_head(tree):
    write_features(tree)
    write_transfer_params(tree, epochs=40)

    train.main("transfer")

    model, classes = saving.read(tree / "models/transfer")
    assert classes == CLASSES
    assert (model.input_shape, model.inputs[0].dtype) == ((None, 8, 8, 3), "uint8")
    pixels, features = (
        arrays.read_split(tree / "data" / folder / "pets8", "validation")
        for folder in ("prepared", "features")
    )
    found = model.predict(pixels.images, verbose=0)
    hidden, last = (model.get_layer(name).get_weights() for name in ("hidden_1", "probabilities"))
    logits = np.maximum(features.images @ hidden[0] + hidden[1], 0) @ last[0] + last[1]
    powers = np.exp(logits)
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)
    history = history_of(tree, "transfer")
    assert history["epoch"].tolist() == [*range(1, 41)]
    losses = history["validation_loss"]
    loss = made_up.value("loss", pixels.labels, found)
    assert losses.iloc[-1] == pytest.approx(loss, rel=1e-4)
    assert losses.iloc[-1] < losses.iloc[0] / 1.5
    backbone = saving.read_model(tree / "data/features/pets8/backbone.keras")
    assert changed_layers(backbone, model) == set()
    assert states(tree, "transfer") == []


def changed_layers(before, after):
    """The names of layers of `before` whose weights are others in `after`."""
    return {
        layer.name
        for layer in before.layers
        for old, new in zip(
            layer.get_weights(), after.get_layer(layer.name).get_weights(), strict=True
        )
        if not np.array_equal(old, new)
    }


def write_fine_tuned(tree, **train_keys):
    write_features(tree)
    write_transfer_params(tree, dropout=0.3, **train_keys)


def trained(folder):
    """Train `transfer` undisturbed, in a folder that stays."""
    with contextlib.chdir(folder):
        train_afresh("transfer")
    return folder


@pytest.fixture(scope="module")
def trained_head(tmp_path_factory):
    """A project in which a head is trained."""
    folder = tmp_path_factory.mktemp("head")
    write_fine_tuned(folder)
    return trained(folder)


@pytest.fixture(scope="module")
def fine_tuned(tmp_path_factory):
    """The same with a second phase."""
    folder = tmp_path_factory.mktemp("fine_tuned")
    write_fine_tuned(folder, fine_tune=FINE_TUNE)
    return trained(folder)


@pytest.mark.parametrize("fine_tune", [None, FINE_TUNE], ids=["head", "fine-tuned"])
def test_what_validation_images_say_is_of_the_model_that_is_kept(tree, fine_tune):
    wanted = {"temperature": True, "neighbors": 15}
    write_fine_tuned(tree, certainty=wanted, **({"fine_tune": fine_tune} if fine_tune else {}))
    plain = yaml.safe_load((tree / "params.yaml").read_text())
    plain["prepare"]["pets8"]["validation_fraction"] = 0.25
    tiny_project.write_params(tree, plain)
    train_afresh("transfer")

    folder = tree / "models/transfer"
    described, (model, _) = model_json.read_trained(folder), saving.read(folder)
    found = certainty.read(folder, described, with_neighbors=True)
    validation = arrays.read_split(tree / "data/prepared/pets8", "validation")
    both = certainty.with_distance(model, found.neighbors)
    probabilities, distance = map(np.asarray, both(validation.images))
    np.testing.assert_allclose(found.validation.probability, probabilities.max(1), atol=1e-5)
    np.testing.assert_allclose(found.validation.distance, distance, atol=1e-5)
    assert (found.validation.labels == validation.labels).all()
    assert len(found.neighbors) == 15
    assert described.temperature != 1
    if fine_tune is None:  # which asks in the same way, and takes twice as long
        before = outputs(tree, "transfer")
        train_afresh("transfer")
        assert outputs(tree, "transfer") == before


def test_without_validation_images_the_training_images_are_asked_in_folds(tree):
    wanted = {"temperature": True, "neighbors": 15, "folds": 3}
    write_fine_tuned(tree, certainty=wanted)
    train_afresh("transfer")

    folder, before = tree / "models/transfer", outputs(tree, "transfer")
    described = model_json.read_trained(folder)
    found = certainty.read(folder, described, with_neighbors=True)
    info = arrays.read_info(tree / "data/features/pets8")
    labels = arrays.read_split(tree / "data/features/pets8", "train").labels[:: 1 + info.views]
    assert sorted(found.validation.labels) == sorted(labels)
    assert len(found.neighbors) == 15
    assert described.temperature != 1
    train_afresh("transfer")
    assert outputs(tree, "transfer") == before


def test_certainty_without_validation_images_is_said_before_the_training(tree):
    write_features(tree, splits=("train",))
    write_transfer_params(tree, certainty={"temperature": True})
    message = (
        "^data/features/pets8: must have validation images for train.certainty, got none; hold"
    )
    with pytest.raises(DataError, match=message):
        train.main("transfer")


def test_the_groups_of_a_table_are_kept_together_in_folds(tree, monkeypatch):
    def record(*arguments):
        raise DataError(" ".join(arguments[4]))

    monkeypatch.setattr(out_of_fold, "answers", record)
    write_fine_tuned(tree, certainty={"temperature": True, "folds": 2})
    names = [f"group{row % 7}" for row in range(45)]
    lines = [f"{row}.png,a,train,{row},{name}" for row, name in enumerate(names)]
    table = "\n".join(["path,class,split,row,group", *lines, ""])
    (tree / "data/prepared/pets8/index.csv").write_text(table, "utf-8")
    with pytest.raises(DataError, match=f"^{' '.join(names)}$"):
        train.main("transfer")


def test_fine_tuning_goes_on_from_the_head(trained_head, fine_tuned):
    head_alone, model = (
        saving.read(folder / "models/transfer")[0] for folder in (trained_head, fine_tuned)
    )
    history = history_of(fine_tuned, "transfer")
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history["learning_rate"].tolist() == pytest.approx([0.02] * 2 + [0.001] * 4)
    pd.testing.assert_frame_equal(history.iloc[:2], history_of(trained_head, "transfer"))
    assert changed_layers(head_alone, model) == {"second", "hidden_1", "probabilities"}
    validation = arrays.read_split(fine_tuned / "data/prepared/pets8", "validation")
    loss = made_up.value("loss", validation.labels, model.predict(validation.images, verbose=0))
    assert history["validation_loss"].iloc[-1] == pytest.approx(loss, rel=1e-5)
    assert states(fine_tuned, "transfer") == []


def test_fine_tuning_sees_augmented_pixels(tree, monkeypatch):
    """On a head that has learned nothing."""
    changes = {"rotation_degrees": 90, "brightness": 0.5}
    fine_tune = FINE_TUNE | {"epochs": 1, "batch_size": 45, "augment": changes}
    write_features(tree)
    write_transfer_params(tree, fine_tune=fine_tune)
    losses, run = [], phases.run

    def run_the_second(model, phase):
        if not phase.after:
            return []
        split = arrays.read_split(tree / "data/prepared/pets8", "train")
        rows, changed = augmented(split.images, changes)
        losses.extend(losses_of(model, changed, split.labels[rows]))
        return run(model, phase)

    monkeypatch.setattr(phases, "run", run_the_second)
    train_afresh("transfer")

    assert history_of(tree, "transfer")["loss"].tolist() == pytest.approx(
        [np.mean(losses)], rel=1e-4
    )


def test_a_stopped_transfer_goes_on_in_its_phase(tree, fine_tuned, monkeypatch, caplog):
    """Stopped in the first, and then in the second."""
    write_fine_tuned(tree, fine_tune=FINE_TUNE)
    for epoch in (2, 4):
        with monkeypatch.context() as patch:
            kill_in_epoch(patch, epoch)
            with caplog.at_level("INFO", "imago"), pytest.raises(KilledError):
                train_afresh("transfer")
    assert outputs(tree, "transfer") == {}

    with caplog.at_level("INFO", "imago"):
        train_afresh("transfer")

    assert [said for said in beginnings(caplog) if not said.startswith("epoch")] == [
        "goes on after epoch 1",
        "fine-tuning changes the backbone from its layer second on",
        "goes on after epoch 2",
        "fine-tuning changes the backbone from its layer second on",
        "goes on after epoch 3",
    ]
    assert outputs(tree, "transfer") == outputs(fine_tuned, "transfer")
    assert states(tree, "transfer") == []


def test_a_state_of_another_backbone_is_not_used(tree):
    write_transfer_params(tree, fine_tune=FINE_TUNE)
    keys = []
    for seed in (3, 4):
        write_features(tree, backbone_seed=seed)
        keys += keys_of_phases("transfer")
    assert len(set(keys)) == 4


def test_missing_backbone(tree):
    write_features(tree)
    write_transfer_params(tree, epochs=1)
    (tree / "data/features/pets8/backbone.keras").unlink()

    with pytest.raises(
        DataError, match=r"features/pets8/backbone\.keras: not found; run the stage"
    ):
        train.main("transfer")
    assert not (tree / "models").exists()


@pytest.mark.parametrize("name", ["train/images.npy", "train/labels.npy", "validation/images.npy"])
def test_damaged_data_are_not_trained_on(tree, name):
    damage(tree / "data/prepared/tiny6" / name)
    with pytest.raises(DataError, match=rf"tiny6/{name}: damaged since it was written"):
        train.main("validated")
    assert not (tree / "models").exists()
