"""The epoch loop.

Keras' own `fit` calls a compiled graph once for each step, and for small nets that call costs more
than the step. Here a whole epoch is one graph call, a pass, under any `tf.distribute` strategy.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from imago import history
from imago.core import sections
from imago.core.errors import TrainingError
from imago.data.arrays import Split
from imago.images import augment
from imago.training import devices, mixing, passes, xla
from imago.training.callbacks import log_name

log = logging.getLogger(__name__)

Logs = dict[str, float]


@dataclass
class State:
    """What a training has come to at the end of an epoch, besides the model's variables."""

    history: list[Logs] = field(default_factory=list)
    """One entry for each finished epoch, with the names that Keras gives."""
    best_weights: list[np.ndarray] | None = None
    """The weights of the best epoch so far, where one is to be kept."""


class Checkpoint(Protocol):
    """Where the state of each finished epoch is kept; see imago.training.checkpoints."""

    def restore(self, model: keras.Model) -> State:
        """Set the model's and its optimizer's variables, or leave them, and give the state."""

    def save(self, model: keras.Model, state: State) -> None:
        """Keep the variables and the state."""


def steps_per_epoch(example_count: int, batch_size: int) -> int:
    """Count the batches of an epoch; the last may be smaller."""
    return math.ceil(example_count / batch_size)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to go over the examples."""

    epochs: int
    """At most; a callback may stop earlier."""
    batch_size: int
    """Examples in a step, over all replicas; the last step of an epoch may have fewer."""
    seed: int
    """Of the order of the examples, which is drawn anew for each epoch."""
    jit_compile: bool | Literal["auto"]
    """Compile with XLA, for one replica only; auto: on a GPU."""
    early_stopping: sections.EarlyStopping | None = None
    """When to stop before the last epoch; ends with the weights of the best one."""
    class_weights: Sequence[float] | None = None
    """How much a training example of each class counts in the loss. None: the same."""
    label_smoothing: float | None = None
    """The share of each training label that goes to all classes alike."""
    mixup: float | None = None
    """Of the Beta distribution from which the shares of mixed training examples are drawn."""
    augment: sections.Augment | None = None
    """Random changes of the training images, drawn anew for each in each epoch."""


def fit(
    model: keras.Model,
    train: Split,
    validation: Split | None,
    plan: Plan,
    checkpoint: Checkpoint,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> list[Logs]:
    """Train a compiled model on sparse categorical cross-entropy, in place.

    Where the current `tf.distribute` strategy runs, in whose scope the model was built.

    Arrays mapped from files, as imago.data.arrays gives them, are used in place, without a copy.
    Callbacks get the calls at the beginning and end of the training and of each epoch; a batch is
    no event, since an epoch is one graph call. Where a checkpoint holds finished epochs, they are
    replayed to the callbacks, whose parameter `finished_epochs` says how many there are.

    Args:
        model: From uint8 images to probabilities, (N, K) float32; compiled with an optimizer.
        train: Images (N, H, W, C) uint8, labels (N,) int32.
        validation: Scored after each epoch, where there is one.
        plan: How to go over the examples.
        checkpoint: Where a training that was interrupted goes on from.
        callbacks: Keras callbacks, which must hold no weights of their own.

    Returns:
        For each epoch learning_rate, at its beginning, loss, accuracy and, with validation,
        val_loss, val_accuracy; means over the epoch's examples, loss in nats and without the
        losses of regularizers.

    Raises:
        TrainingError: A metric of an epoch, or a weight at the end, is not a finite number; or
            XLA cannot compile the model.
        ValueError: A callback keeps weights, which a replay could not give back to it.
    """
    strategy = tf.distribute.get_strategy()
    model.optimizer.build(model.trainable_variables)
    is_compiled = xla.is_wanted(plan.jit_compile, model, strategy)
    run_epoch = _epoch(model, train, validation, plan, strategy, is_compiled)
    _refuse_keepers_of_weights(callbacks)
    state = checkpoint.restore(model)
    listeners = keras.callbacks.CallbackList(
        list(callbacks),
        model=model,
        epochs=plan.epochs,
        finished_epochs=len(state.history),
        verbose=0,
    )
    model.stop_training = False
    listeners.on_train_begin()
    _replay(state.history, listeners, model, checkpoint)

    for epoch in range(len(state.history), plan.epochs):
        if model.stop_training or _is_over(state.history, plan.early_stopping):
            break
        listeners.on_epoch_begin(epoch)
        with (
            devices.as_one(model, strategy),
            xla.applied(model, is_compiled),
            devices.losses_told(epoch),
        ):
            logs = run_epoch(epoch)
        state.history.append(logs)
        if _is_best(epoch, state.history, plan.early_stopping):
            state.best_weights = model.get_weights()
        listeners.on_epoch_end(epoch, dict(logs))
        checkpoint.save(model, state)

    if state.best_weights is not None:
        model.set_weights(state.best_weights)
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        message = "the weights must be finite numbers; a lower learning_rate may help"
        raise TrainingError(message)
    listeners.on_train_end(dict(state.history[-1]))
    return state.history


def _is_over(epochs: Sequence[Logs], stopping: sections.EarlyStopping | None) -> bool:
    if stopping is None:
        return False
    monitor = log_name(stopping.monitor)
    return history.is_over(epochs, monitor, stopping.patience_epochs)


def _is_best(epoch: int, epochs: Sequence[Logs], stopping: sections.EarlyStopping | None) -> bool:
    if stopping is None:
        return False
    return history.best(epochs, log_name(stopping.monitor)) == epoch


def _epoch(
    model: keras.Model,
    train: Split,
    validation: Split | None,
    plan: Plan,
    strategy: tf.distribute.Strategy,
    is_compiled: bool,
) -> Callable[[int], Logs]:
    """Return the function that trains and scores one epoch, by its number from 0."""
    how = (plan.batch_size, strategy, is_compiled)
    train_pass = passes.training(
        model,
        train,
        *how,
        class_weights=plan.class_weights,
        label_smoothing=plan.label_smoothing,
        transform=augment.apply if plan.augment else None,
        is_mixed=plan.mixup is not None,
    )
    score_pass = passes.scoring(model, validation, *how) if validation else None

    def run(epoch: int) -> Logs:
        logs = {"learning_rate": _learning_rate(model)}
        logs |= train_pass(*_order(len(train.labels), plan, epoch))
        if validation and score_pass:
            scores = score_pass(*_as_they_are(len(validation.labels)))
            logs |= {f"val_{name}": value for name, value in scores.items()}
        for name, value in logs.items():
            if not math.isfinite(value):
                message = f"epoch {epoch + 1}: {name} must be a finite number, got {value}; "
                raise TrainingError(message + "a lower learning_rate may help")
        return logs

    return run


def _replay(
    finished: Sequence[Logs],
    listeners: keras.callbacks.CallbackList,
    model: keras.Model,
    checkpoint: Checkpoint,
) -> None:
    """Let callbacks see the finished epochs, so that they come to the state that they had."""
    if not finished:
        return
    log.info("goes on after epoch %d, which an earlier run finished", len(finished))
    for epoch, logs in enumerate(finished):
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # of a scaled loss
        if not isinstance(optimizer._learning_rate, LearningRateSchedule):
            model.optimizer.learning_rate = logs["learning_rate"]
        listeners.on_epoch_begin(epoch)
        listeners.on_epoch_end(epoch, dict(logs))
    checkpoint.restore(model)  # what callbacks changed, a learning rate say, was saved with it


def _refuse_keepers_of_weights(callbacks: Sequence[keras.callbacks.Callback]) -> None:
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.ModelCheckpoint) or getattr(
            callback, "restore_best_weights", False
        ):
            message = f"{type(callback).__name__} must keep no weights; use Plan.early_stopping"
            raise ValueError(message)


def _learning_rate(model: keras.Model) -> float:
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _order(example_count: int, plan: Plan, epoch: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the rows of an epoch, shuffled, and how each example is to be changed."""
    # A generator for each epoch, so that a resumed training needs none of the earlier draws.
    random = np.random.default_rng([plan.seed, epoch])
    rows = random.permutation(example_count).astype(np.int32)
    draws = [np.zeros((example_count, 0), np.float32)]
    if plan.augment:
        draws.append(augment.draw(plan.augment, example_count, random))
    if plan.mixup:
        draws.append(mixing.draw(plan.mixup, example_count, random))
    return tf.constant(rows), tf.constant(np.concatenate(draws, axis=1))


def _as_they_are(example_count: int) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.range(example_count), tf.zeros((example_count, 0))
