"""A phase of a training: one model, one set of examples, one way of fitting it to them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from imago.core import cluster, paths, sections
from imago.core.errors import DataError
from imago.data import arrays
from imago.training import callbacks, class_weights, loop, optimizers, precision
from imago.training.checkpoints import FileCheckpoint, NoCheckpoint, SharedCheckpoint, key


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a phase depends on, besides the model that it begins with.

    Attributes:
        experiment: Its name.
        seed: Of every draw.
        training: The whole `train` section, a part of which is `fitted_by`.
        fitted_by: How the weights are fitted.
        folder: Holds the splits.
        augment: Random changes of the training images.
        after: The phase that it goes on from. None: it is the first.
    """

    experiment: str
    seed: int
    training: sections.Train
    fitted_by: sections.Optimization
    folder: Path
    augment: sections.Augment | None
    after: "Phase | None" = None

    @property
    def key(self) -> str:
        """Identify the phase among all that an experiment ever had."""
        training = self.training.model_dump(mode="json")
        before = self.after and self.after.key
        return key(training, before, self.seed, arrays.read_info(self.folder).digest)

    @property
    def checkpoint(self) -> FileCheckpoint:
        """Where an interrupted phase goes on from."""
        folder = paths.training_state(self.experiment, self.key)
        if cluster.member().count == 1:
            return FileCheckpoint(folder)
        return SharedCheckpoint(folder, tf.distribute.get_strategy())


def run(model: keras.Model, phase: Phase) -> list[loop.Logs]:
    """Fit a model in place, and return the metrics of each epoch.

    Raises:
        DataError: A split is missing or damaged.
        TrainingError: See `loop.fit`.
    """
    splits = arrays.read_info(phase.folder).splits
    arrays.verify(phase.folder, "train", "validation")
    train = arrays.read_split(phase.folder, "train")
    validation = arrays.read_split(phase.folder, "validation") if "validation" in splits else None
    if phase.fitted_by.early_stopping and not validation:
        message = f"{phase.folder}: must have validation images for early_stopping, got none"
        raise DataError(message)
    wanted = os.getenv("IMAGO_TENSORBOARD") == "1" and cluster.member().is_chief
    events = paths.tensorboard(phase.experiment) / phase.key if wanted else None
    listeners = callbacks.build(phase.fitted_by, events)
    plan = plan_for(phase.fitted_by, train, phase.seed, phase.augment)
    with precision.applied(model, phase.training.precision):
        compile_for(model, phase.fitted_by, train)
        return loop.fit(model, train, validation, plan, phase.checkpoint, listeners)


def fit_unsaved(
    model: keras.Model, training: sections.Train, train: arrays.Split, seed: int
) -> None:
    """Fit a model to a split in place, without validation, checkpoints, or a word."""
    with precision.applied(model, training.precision):
        compile_for(model, training, train)
        loop.fit(model, train, None, plan_for(training, train, seed), NoCheckpoint())


def compile_for(model: keras.Model, training: sections.Optimization, train: arrays.Split) -> None:
    """Give a model the optimizer that fits it to a split."""
    steps = loop.steps_per_epoch(len(train.labels), training.batch_size)
    model.compile(optimizers.build(training, steps))


def plan_for(
    training: sections.Optimization,
    train: arrays.Split,
    seed: int,
    augment: sections.Augment | None = None,
) -> loop.Plan:
    """Return how a model is fitted to a split."""
    return loop.Plan(
        epochs=training.epochs,
        batch_size=training.batch_size,
        seed=seed,
        jit_compile=training.jit_compile,
        early_stopping=training.early_stopping,
        class_weights=class_weights.balanced(train.labels) if training.class_weights else None,
        label_smoothing=training.label_smoothing,
        mixup=training.mixup,
        augment=augment,
    )


def forget(phases: Sequence[Phase]) -> None:
    """Delete what an interrupted training would go on from: all is done."""
    for phase in phases:
        phase.checkpoint.remove()
