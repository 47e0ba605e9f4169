import csv
import functools
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from imago.core import sections
from imago.core.errors import TrainingError
from imago.data.arrays import Split
from imago.images import augment
from imago.runtimes import determinism
from imago.training import loop, mixing, passes
from imago.training.checkpoints import FileCheckpoint
from imago.training.loop import State

STOPPING = sections.EarlyStopping(monitor="validation_loss", patience_epochs=2)
BATCH = 16  # of 70 examples: four full batches and one of six
EVEN = 14  # five full batches: a graph less to trace


def make_blobs() -> Split:
    """70 images of 4×4×1, three classes that differ in brightness; easy to learn."""
    generator = np.random.default_rng(7)
    labels = generator.integers(0, 3, 70, dtype=np.int32)
    noise = generator.integers(0, 60, (70, 4, 4, 1))
    return Split((noise + labels[:, None, None, None] * 90).astype(np.uint8), labels)


@pytest.fixture
def blobs() -> Split:
    return make_blobs()


class NoCheckpoint:
    def restore(self, model: keras.Model) -> State:
        return State()

    def save(self, model: keras.Model, state: State) -> None:
        pass


class KilledError(Exception):
    """Stands for a kill: whatever runs is torn off."""


class KillAfter(keras.callbacks.Callback):
    """Tears the training off at the end of an epoch, before its state is kept."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KilledError


def build(dropout=0.0, optimizer=None, regularizer=None) -> keras.Model:
    determinism.enable(3)
    layers = [
        keras.Input((4, 4, 1), dtype="uint8"),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(8, activation="relu", kernel_regularizer=regularizer),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer or keras.optimizers.Adam(0.01))
    return model


def fit(model, train, validation=None, checkpoint=None, callbacks=(), **options):
    settings = {"epochs": 3, "batch_size": EVEN, "seed": 5, "jit_compile": False} | options
    plan = loop.Plan(**settings)
    return loop.fit(model, train, validation, plan, checkpoint or NoCheckpoint(), callbacks)


def weights(model) -> np.ndarray:
    return np.concatenate([value.ravel() for value in model.get_weights()])


def steps_by_hand(model, train: Split, epochs: int, seed: int) -> list[dict[str, float]]:
    """The same steps with Keras' train_on_batch, one at a time."""
    model.compile(model.optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = []
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(train.labels))
        losses, rights = [], []
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            model.reset_metrics()
            figures = model.train_on_batch(train.images[rows], train.labels[rows], return_dict=True)
            losses.append(figures["loss"] * len(rows))
            rights.append(figures["accuracy"] * len(rows))
        examples = len(train.labels)
        history.append({"loss": sum(losses) / examples, "accuracy": sum(rights) / examples})
    return history


@pytest.fixture(scope="module")
def steps_of_keras():
    model = build()
    return steps_by_hand(model, make_blobs(), epochs=3, seed=5), weights(model)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_takes_the_steps_of_keras(blobs, steps_of_keras, jit_compile):
    ours = build()

    history = fit(ours, blobs, batch_size=BATCH, jit_compile=jit_compile)

    expected, theirs = steps_of_keras
    np.testing.assert_allclose(weights(ours), theirs, atol=1e-5)
    for found, wanted in zip(history, expected, strict=True):
        assert found["loss"] == pytest.approx(wanted["loss"], abs=1e-5)
        assert found["accuracy"] == pytest.approx(wanted["accuracy"])


def test_every_example_is_taken_once_an_epoch_and_the_last_batch_is_not_dropped(blobs):
    model = build()
    fit(model, blobs, epochs=2, batch_size=BATCH)
    assert int(model.optimizer.iterations) == 2 * 5
    assert loop.steps_per_epoch(70, BATCH) == 5


def test_learns(blobs):
    history = fit(build(), blobs, epochs=40)
    assert history[-1]["accuracy"] > 0.95
    assert history[-1]["loss"] < history[0]["loss"] / 2


def test_validation_figures_are_those_of_keras_evaluate(blobs):
    model, held_out = build(dropout=0.5), Split(blobs.images[:21], blobs.labels[:21])

    history = fit(model, blobs, held_out, epochs=2, batch_size=BATCH)

    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    wanted = model.evaluate(held_out.images, held_out.labels, verbose=0, return_dict=True)
    assert history[-1]["val_loss"] == pytest.approx(wanted["loss"], abs=1e-6)
    assert history[-1]["val_accuracy"] == pytest.approx(wanted["accuracy"])


def test_losses_of_regularizers_take_part(blobs):
    plain, pulled = build(), build(regularizer=keras.regularizers.L2(1.0))
    fit(plain, blobs), fit(pulled, blobs)
    assert (
        np.abs(pulled.layers[2].get_weights()[0]).sum()
        < 0.9 * np.abs(plain.layers[2].get_weights()[0]).sum()
    )


def test_two_runs_are_bit_equal_and_another_seed_is_not(blobs):
    """With XLA, a killed training goes on to the weights of an undisturbed one, see below."""
    first, second, other = build(dropout=0.3), build(dropout=0.3), build(dropout=0.3)
    histories = [
        fit(model, blobs, seed=seed) for model, seed in ((first, 5), (second, 5), (other, 6))
    ]
    assert histories[0] == histories[1] != histories[2]
    np.testing.assert_array_equal(weights(first), weights(second))
    assert not np.array_equal(weights(first), weights(other))


def fit_with_dropout_and_plateau(blobs, folder, jit_compile, *extra):
    model = build(dropout=0.4)
    plateau = keras.callbacks.ReduceLROnPlateau(
        "val_loss", factor=0.5, patience=2, min_delta=9, min_lr=0.002
    )
    options = {
        "epochs": 9,
        "jit_compile": jit_compile,
        "early_stopping": sections.EarlyStopping(monitor="validation_loss", patience_epochs=9),
        "checkpoint": FileCheckpoint(folder),
        "callbacks": [plateau, *extra],
    }
    validation = Split(blobs.images[: 2 * EVEN], blobs.labels[: 2 * EVEN])
    return fit(model, blobs, validation, **options), weights(model)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What such a training comes to, without and with XLA."""

    @functools.cache
    def run(jit_compile):
        folder = tmp_path_factory.mktemp("undisturbed")
        return fit_with_dropout_and_plateau(make_blobs(), folder, jit_compile)

    return run


@pytest.mark.parametrize(
    ("killed_in", "jit_compile"),
    [
        pytest.param(0, False, id="0-graph"),
        pytest.param(1, False, id="1-graph", marks=pytest.mark.slow),
        pytest.param(4, False, id="4-graph"),
        pytest.param(4, True, id="4-xla", marks=pytest.mark.slow),  # test_pipeline does it too
    ],
)
def test_a_killed_training_goes_on_to_the_same_weights(
    blobs, undisturbed, tmp_path, killed_in, jit_compile
):
    wanted_history, wanted = undisturbed(jit_compile)
    with pytest.raises(KilledError):
        fit_with_dropout_and_plateau(blobs, tmp_path, jit_compile, KillAfter(killed_in))
    history, found = fit_with_dropout_and_plateau(blobs, tmp_path, jit_compile)

    assert history == wanted_history
    assert len({logs["learning_rate"] for logs in history}) > 1
    np.testing.assert_array_equal(found, wanted)


def test_callbacks_see_a_resumed_training_as_one(blobs, tmp_path):
    logs = []

    def run(name, *extra):
        logs.append(keras.callbacks.CSVLogger(str(tmp_path / f"{name}.csv")))
        checkpoint = FileCheckpoint(tmp_path / name)
        return fit(build(), blobs, epochs=4, checkpoint=checkpoint, callbacks=[logs[-1], *extra])

    run("undisturbed")
    with pytest.raises(KilledError):
        run("killed", KillAfter(2))
    logs[-1].csv_file.close()
    run("killed")

    text = (tmp_path / "killed.csv").read_text()
    assert text == (tmp_path / "undisturbed.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]


def test_early_stopping_ends_the_training_and_the_best_weights_are_kept(blobs, tmp_path):
    shuffled = Split(blobs.images, np.random.default_rng(1).permutation(blobs.labels))
    model = build(optimizer=keras.optimizers.Adam(0.1))

    epochs = fit(model, blobs, shuffled, epochs=50, early_stopping=STOPPING)

    best = int(np.argmin([logs["val_loss"] for logs in epochs]))
    assert len(epochs) == best + 3 < 50
    model.compile(loss="sparse_categorical_crossentropy")
    loss = model.evaluate(shuffled.images, shuffled.labels, verbose=0)
    assert loss == pytest.approx(epochs[best]["val_loss"], abs=1e-6)


def test_a_training_resumed_after_early_stopping_stops_at_once(blobs, tmp_path):
    shuffled = Split(blobs.images, np.random.default_rng(1).permutation(blobs.labels))

    def run():
        model = build(optimizer=keras.optimizers.Adam(0.1))
        checkpoint = FileCheckpoint(tmp_path)
        options = {"epochs": 50, "checkpoint": checkpoint, "early_stopping": STOPPING}
        return fit(model, blobs, shuffled, **options), model

    (first, model), (second, again) = run(), run()
    assert first == second
    np.testing.assert_array_equal(weights(model), weights(again))


def test_a_training_that_diverges_is_an_error(blobs, tmp_path):
    checkpoint = FileCheckpoint(tmp_path)
    model = build(optimizer=keras.optimizers.SGD(1e30))
    with pytest.raises(TrainingError, match=r"epoch \d: loss must be a finite number, got nan"):
        fit(model, blobs, epochs=9, checkpoint=checkpoint)
    assert all(math.isfinite(logs["loss"]) for logs in checkpoint.restore(build()).history)


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.EarlyStopping("loss", restore_best_weights=True),
        keras.callbacks.ModelCheckpoint("model.keras"),
    ],
    ids=["EarlyStopping", "ModelCheckpoint"],
)
def test_callbacks_that_keep_weights_are_refused(blobs, callback):
    with pytest.raises(ValueError, match=f"{type(callback).__name__} must keep no weights"):
        fit(build(), blobs, callbacks=[callback])


def test_mapped_files_are_used_in_place_and_stay_as_they_are(blobs, tmp_path):
    for name in ("images", "labels"):
        np.save(tmp_path / f"{name}.npy", getattr(blobs, name))
    files = [tmp_path / "images.npy", tmp_path / "labels.npy"]
    before = [path.read_bytes() for path in files]
    mapped = Split(*(np.load(path, mmap_mode="r") for path in files))
    first, second = build(), build()
    assert fit(first, mapped) == fit(second, blobs)
    np.testing.assert_array_equal(weights(first), weights(second))
    assert [path.read_bytes() for path in files] == before
    pages = passes._tensor(mapped.images)
    assert pages.device.endswith("CPU:0")
    np.testing.assert_array_equal(pages.numpy(), blobs.images)


def test_tensorboard_writes_event_files(blobs, tmp_path):
    board = keras.callbacks.TensorBoard(str(tmp_path), write_graph=False)
    fit(build(), blobs, replace(blobs), callbacks=[board])
    assert len(list(tmp_path.rglob("events.out.tfevents.*"))) == 2  # training and validation


def test_order_is_a_permutation_that_differs_by_epoch():
    plan = loop.Plan(epochs=2, batch_size=BATCH, seed=9, jit_compile=False)
    first, second = (loop._order(50, plan, epoch)[0].numpy() for epoch in (0, 1))
    assert sorted(first) == list(range(50))
    assert not np.array_equal(first, second)


def augmented_by_hand(train: Split, settings: sections.Augment, seed: int) -> Split:
    """The images as an epoch sees them, in its order, each with its own draw."""
    random = np.random.default_rng([seed, 0])
    rows = random.permutation(len(train.labels))
    draws = augment.draw(settings, len(rows), random)
    return Split(augment.apply(train.images[rows], draws), train.labels[rows])


def test_augmentation_is_drawn_for_each_image():
    """One step over a whole epoch, so that the order within it does not matter."""
    train, settings = make_blobs(), sections.Augment(rotation_degrees=90.0, brightness=0.5)
    ours, theirs = build(), build()

    fit(ours, train, epochs=1, batch_size=70, augment=settings)
    by_hand = augmented_by_hand(train, settings, seed=5)
    fit(theirs, by_hand, epochs=1, batch_size=70)

    np.testing.assert_allclose(weights(ours), weights(theirs), atol=1e-6)
    assert not np.array_equal(by_hand.images, train.images)


def test_augmentation_differs_by_epoch_and_is_the_same_in_every_run():
    plan = loop.Plan(
        epochs=2,
        batch_size=BATCH,
        seed=9,
        jit_compile=False,
        augment=sections.Augment(rotation_degrees=90.0),
    )
    first, again, second = (loop._order(50, plan, epoch)[1].numpy() for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    assert first.shape == (50, len(augment.COLUMNS))


def test_augmentation_leaves_the_split_and_the_validation_images_as_they_are(blobs):
    before = blobs.images.copy()
    model = build()

    history = fit(model, blobs, validation=blobs, augment=sections.Augment(brightness=1.0))

    np.testing.assert_array_equal(blobs.images, before)
    model.compile(loss="sparse_categorical_crossentropy")
    loss = model.evaluate(blobs.images, blobs.labels, verbose=0)
    assert history[-1]["val_loss"] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["graph", "xla"]
)
def test_class_weights_are_those_of_keras(blobs, jit_compile):
    ours, theirs = build(), build()
    theirs.compile(theirs.optimizer, "sparse_categorical_crossentropy")
    weighted = {0: 0.5, 1: 3.0, 2: 1.0}

    options = {"epochs": 1, "batch_size": 70, "jit_compile": jit_compile}
    (found,) = fit(ours, blobs, class_weights=list(weighted.values()), **options)
    wanted = theirs.fit(
        blobs.images, blobs.labels, batch_size=70, class_weight=weighted, verbose=0
    ).history

    np.testing.assert_allclose(weights(ours), weights(theirs), atol=1e-6)
    assert found["loss"] == pytest.approx(wanted["loss"][0], rel=1e-5)


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["graph", "xla"]
)
def test_label_smoothing_is_that_of_keras(blobs, jit_compile):
    ours, theirs = build(), build()
    theirs.compile(theirs.optimizer, keras.losses.CategoricalCrossentropy(label_smoothing=0.2))
    truth = keras.utils.to_categorical(blobs.labels)
    weighted = [0.5, 3.0, 1.0]
    how = {"sample_weight": np.take(weighted, blobs.labels), "batch_size": 70, "verbose": 0}

    options = {"epochs": 1, "batch_size": 70, "jit_compile": jit_compile}
    (found,) = fit(ours, blobs, label_smoothing=0.2, class_weights=weighted, **options)
    wanted = theirs.fit(blobs.images, truth, **how).history

    np.testing.assert_allclose(weights(ours), weights(theirs), atol=1e-6)
    assert found["loss"] == pytest.approx(wanted["loss"][0], rel=1e-5)


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["graph", "xla"]
)
def test_mixup_is_a_step_on_mixed_images_and_labels(blobs, jit_compile):
    """One step over a whole epoch; the images and the labels are mixed by hand."""
    ours, theirs = build(), build()
    random = np.random.default_rng([5, 0])
    rows = random.permutation(70)
    kept = mixing.draw(0.3, 70, random)
    truth = np.eye(3, dtype=np.float32)[blobs.labels[rows]]
    images = blobs.images[rows].astype(np.float32)
    by = kept[..., np.newaxis, np.newaxis]
    mixed = (by * images + (1 - by) * images[::-1]).round().astype(np.uint8)
    theirs.compile(theirs.optimizer, "categorical_crossentropy")

    (found,) = fit(ours, blobs, epochs=1, batch_size=70, mixup=0.3, jit_compile=jit_compile)
    wanted = theirs.train_on_batch(mixed, kept * truth + (1 - kept) * truth[::-1])

    np.testing.assert_allclose(weights(ours), weights(theirs), atol=1e-6)
    assert found["loss"] == pytest.approx(float(wanted), rel=1e-4)


def test_a_killed_training_that_augments_and_mixes_goes_on_to_the_same_weights(blobs, tmp_path):
    changes = sections.Augment(
        random_resized_crop=sections.RandomResizedCrop(least_area=0.4, greatest_stretch=1.5),
        rotation_degrees=20.0,
        horizontal_flip=True,
        brightness=0.1,
    )
    options = {"augment": changes, "mixup": 0.4, "label_smoothing": 0.1}
    whole, torn, resumed, other = build(0.3), build(0.3), build(0.3), build(0.3)
    fit(whole, blobs, **options)

    with pytest.raises(KilledError):
        fit(torn, blobs, checkpoint=FileCheckpoint(tmp_path), callbacks=[KillAfter(1)], **options)
    fit(resumed, blobs, checkpoint=FileCheckpoint(tmp_path), **options)
    fit(other, blobs, **options | {"mixup": None})

    np.testing.assert_array_equal(weights(resumed), weights(whole))
    assert not np.array_equal(weights(other), weights(whole))


def test_class_weights_leave_the_validation_loss_as_it_is(blobs):
    (plain,) = fit(build(), blobs, validation=blobs, epochs=1, batch_size=70)
    (equal,) = fit(
        build(), blobs, validation=blobs, epochs=1, batch_size=70, class_weights=[2.0, 2.0, 2.0]
    )
    # Adam's step does not depend on the scale of the loss, so the weights are nearly the same.
    assert equal["val_loss"] == pytest.approx(plain["val_loss"], rel=1e-3)
    assert equal["loss"] == pytest.approx(2 * plain["loss"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["graph", "xla"])
def test_two_replicas_come_to_the_weights_of_one(way):
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "tests.train_on_replicas", way]
    run = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert run.returncode == 0, run.stderr
    difference, steps = run.stdout.split()[-2:]
    assert float(difference) < 1e-5
    assert int(steps) == 3 * math.ceil(70 / BATCH)
