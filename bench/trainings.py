"""An experiment's data, model and two ways of training it: imago's loop and plain Keras."""

import importlib
import time
from dataclasses import dataclass

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import keras
import numpy as np

from imago import params
from imago.core import paths
from imago.data import arrays
from imago.models import transfer
from imago.params import Experiment
from imago.runtimes import calls, determinism, frozen, saving
from imago.scoring import predictions
from imago.scoring.predictions import Predictions
from imago.training import loop, optimizers
from imago.training.loop import State


class NoCheckpoint:
    """Keeps nothing: a measurement starts anew."""

    def restore(self, model: keras.Model) -> State:
        """Return the state of a training that has not begun."""
        return State()

    def save(self, model: keras.Model, state: State) -> None:
        """Keep nothing."""


@dataclass(frozen=True)
class Result:
    """What a training took and came to."""

    seconds: float
    """Of the training call alone, tracing and compiling included, imports and model not.

    imago reads the mapped arrays within this time; plain Keras has them in memory before.
    """
    accuracy: float
    """On the test split, 0..1."""


def with_imago(experiment: str, seed: int) -> Result:
    """Train as stages/train.py does, for an experiment of one phase without optional keys."""
    chosen, model, seconds = _trained(experiment, seed)
    return Result(seconds, _accuracy(chosen, model))


def predict(experiment: str, seed: int) -> Predictions:
    """Train in the same way, and return what the model says of the test split."""
    chosen, model, _ = _trained(experiment, seed)
    data = paths.data(chosen.pixels)
    test = arrays.read_split(data, "test")
    probabilities = model.predict(test.images, batch_size=calls.batch_size(test.images), verbose=0)
    identities = arrays.read_identities(data, "test")
    classes = arrays.read_info(data).classes
    return predictions.make(test.labels, probabilities, classes, identities)


def with_plain_keras(experiment: str, seed: int) -> Result:
    """Train the same layers with the same optimizer, batch size and steps by `model.fit`."""
    keras.utils.set_random_seed(seed)
    chosen, model, train, validation = _load(experiment)
    model.compile(model.optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = np.array(train.images), np.array(train.labels)
    held_out = validation and (np.array(validation.images), np.array(validation.labels))
    start = time.perf_counter()
    model.fit(
        images,
        labels,
        batch_size=chosen.train.batch_size,
        epochs=chosen.train.epochs,
        validation_data=held_out,
        verbose=0,
    )
    return Result(time.perf_counter() - start, _accuracy(chosen, model))


def accuracy_of_file(experiment: str, model: str) -> float:
    """Score a `.keras` file on the test split, 0..1."""
    chosen = params.pick(params.load().experiments, "experiment", experiment)
    return _accuracy(chosen, keras.saving.load_model(model))


def _trained(experiment: str, seed: int) -> tuple[Experiment, keras.Model, float]:
    determinism.enable(seed)
    chosen, model, train, validation = _load(experiment)
    plan = loop.Plan(
        epochs=chosen.train.epochs,
        batch_size=chosen.train.batch_size,
        seed=seed,
        jit_compile=chosen.train.jit_compile,
    )
    start = time.perf_counter()
    loop.fit(model, train, validation, plan, NoCheckpoint())
    seconds = time.perf_counter() - start
    if chosen.features:
        backbone = saving.read_model(paths.data(chosen.input) / frozen.COPY)
        model = transfer.complete(backbone, model)
    return chosen, model, seconds


def _load(
    experiment: str,
) -> tuple[Experiment, keras.Model, arrays.Split, arrays.Split | None]:
    chosen = params.pick(params.load().experiments, "experiment", experiment)
    data = paths.data(chosen.input)
    info, train = arrays.read_info(data), arrays.read_split(data, "train")
    validation = arrays.read_split(data, "validation") if "validation" in info.splits else None
    architecture = importlib.import_module(f"imago.models.{chosen.train.model}")
    model = architecture.build(chosen.train, info.image_shape, len(info.classes), info.statistics)
    steps = loop.steps_per_epoch(len(train.labels), chosen.train.batch_size)
    model.compile(optimizers.build(chosen.train, steps))
    return chosen, model, train, validation


def _accuracy(chosen: Experiment, model: keras.Model) -> float:
    test = arrays.read_split(paths.data(chosen.pixels), "test")
    probabilities = model.predict(test.images, batch_size=calls.batch_size(test.images), verbose=0)
    return float((probabilities.argmax(axis=1) == test.labels).mean())
