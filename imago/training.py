"""The epoch loop.

Keras' own `fit` calls a compiled graph once for each step, and for small nets that call costs more
than the step. Here a whole epoch is one graph call. The loop runs under any `tf.distribute`
strategy: every replica holds all examples and takes its share of each batch, and the optimizer sums
the gradients over the replicas.
"""

import contextlib
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from imago.arrays import Split
from imago.errors import TrainingError

log = logging.getLogger(__name__)

_ALIGNMENT_BYTES = 64  # what TensorFlow's kernels and XLA expect of a buffer

Logs = dict[str, float]
Sweep = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass
class State:
    """What a training has come to at the end of an epoch, besides the model's variables."""

    history: list[Logs] = field(default_factory=list)
    """One entry for each finished epoch, with the names that Keras gives."""
    best_weights: list[np.ndarray] | None = None
    """The weights of the best epoch so far, where one is to be kept."""


class Checkpoint(Protocol):
    """Where the state of each finished epoch is kept; see imago.checkpoints."""

    def restore(self, model: keras.Model) -> State:
        """Set the model's and its optimizer's variables, or leave them, and give the state."""

    def save(self, model: keras.Model, state: State) -> None:
        """Keep the variables and the state."""


def steps_per_epoch(example_count: int, batch_size: int) -> int:
    """Count the batches of an epoch; the last may be smaller."""
    return math.ceil(example_count / batch_size)


def fit(
    model: keras.Model,
    train: Split,
    validation: Split | None,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    jit_compile: bool,
    checkpoint: Checkpoint,
    keep_best: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    strategy: tf.distribute.Strategy | None = None,
) -> list[Logs]:
    """Train a compiled model on sparse categorical cross-entropy, in place.

    Each epoch takes every training example once, in an order drawn from `seed` and the epoch's
    number. Arrays that are mapped into memory, as imago.arrays gives them, are used in place, so
    what is trained on need not fit into memory.

    Callbacks get the calls at the beginning and end of the training and of each epoch; a batch is
    no event, since an epoch is one graph call. A training that goes on from a checkpoint first
    replays the finished epochs to the callbacks, so that they come to the state they had.

    Args:
        model: From uint8 images to probabilities, (N, K) float32; compiled with an optimizer, and
            built in the scope of `strategy`.
        train: Images (N, H, W, C) uint8, labels (N,) int32.
        validation: Scored after each epoch, where there is one.
        epochs: How often to go over the training examples at most.
        batch_size: Examples in a step, over all replicas.
        seed: Of the order of the examples.
        jit_compile: Compile with XLA; for one replica only.
        checkpoint: Where a training that was interrupted goes on from.
        keep_best: `val_loss` or `val_accuracy`: end with the weights of the epoch in which it was
            best. None: of the last epoch.
        callbacks: Keras callbacks.
        strategy: Where to run. None: the current strategy.

    Returns:
        For each epoch loss, accuracy, learning_rate and, with validation, val_loss, val_accuracy;
        means over the epoch's examples, loss in nats.

    Raises:
        TrainingError: The loss of an epoch is not a finite number.
    """
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        model.optimizer.build(model.trainable_variables)
    train_sweep = _sweep(_training_step(model, strategy), batch_size, strategy, jit_compile)
    score_sweep = _sweep(_scoring_step(model), batch_size, strategy, jit_compile)
    train_tensors, validation_tensors = _tensors(train), validation and _tensors(validation)
    listeners = keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs, verbose=0)
    model.stop_training = False
    listeners.on_train_begin()
    state = checkpoint.restore(model)
    _replay(state.history, listeners, model, checkpoint)

    for epoch in range(len(state.history), epochs):
        if model.stop_training:
            break
        listeners.on_epoch_begin(epoch)
        logs = _means(train_sweep(*train_tensors, _order(len(train.labels), seed, epoch)))
        if not math.isfinite(logs["loss"]):
            message = f"epoch {epoch + 1}: the loss must be finite, got {logs['loss']}; "
            raise TrainingError(message + "a lower learning_rate may help")
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
        if validation_tensors:
            rows = tf.range(len(validation_tensors[1]))
            scores = _means(score_sweep(*validation_tensors, rows))
            logs |= {f"val_{name}": value for name, value in scores.items()}
        if keep_best and _is_best(logs, state.history, keep_best):
            state.best_weights = model.get_weights()
        state.history.append(logs)
        listeners.on_epoch_end(epoch, dict(logs))
        checkpoint.save(model, state)

    if state.best_weights is not None:
        model.set_weights(state.best_weights)
    listeners.on_train_end(dict(state.history[-1]))
    return state.history


def best_epoch(history: Sequence[Logs], monitor: str) -> int:
    """Give the first epoch, counted from 0, in which a loss was lowest or an accuracy highest."""
    sign = 1 if monitor.endswith("loss") else -1
    return min(range(len(history)), key=lambda epoch: sign * history[epoch][monitor])


def _is_best(logs: Logs, history: Sequence[Logs], monitor: str) -> bool:
    return best_epoch([*history, logs], monitor) == len(history)


def _replay(
    history: Sequence[Logs],
    listeners: keras.callbacks.CallbackList,
    model: keras.Model,
    checkpoint: Checkpoint,
) -> None:
    if not history:
        return
    log.info("goes on after epoch %d, which an earlier run finished", len(history))
    for epoch, logs in enumerate(history):
        listeners.on_epoch_begin(epoch)
        listeners.on_epoch_end(epoch, dict(logs))
    checkpoint.restore(model)  # what callbacks changed, a learning rate say, was saved with it


def _tensors(split: Split) -> tuple[tf.Tensor, tf.Tensor]:
    return _tensor(split.images), _tensor(split.labels)


def _tensor(array: np.ndarray) -> tf.Tensor:
    """Give a tensor over the array's own memory where it can be, else over a copy."""
    view = np.asarray(array)
    if view.flags.c_contiguous and view.ctypes.data % _ALIGNMENT_BYTES == 0:
        with contextlib.suppress(ValueError):  # memory that nobody may write to
            view = view.view()
            view.flags.writeable = True  # DLPack knows no read-only arrays; nothing writes here
            return tf.experimental.dlpack.from_dlpack(view.__dlpack__())
    return tf.constant(view)


def _order(example_count: int, seed: int, epoch: int) -> tf.Tensor:
    # A generator for each epoch, so that a resumed training needs none of the earlier draws.
    order = np.random.default_rng([seed, epoch]).permutation(example_count)
    return tf.constant(order.astype(np.int32))


def _means(totals: tf.Tensor) -> Logs:
    loss_sum, correct, examples = totals.numpy().tolist()
    return {"loss": loss_sum / examples, "accuracy": correct / examples}


def _sweep(
    step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    batch_size: int,
    strategy: tf.distribute.Strategy,
    jit_compile: bool,
) -> Sweep:
    """Compile a pass over all examples, in batches, that adds up what `step` gives.

    Args:
        step: Takes images and labels, gives totals (3,) float64: the sum of the losses, the number
            of right answers, the number of examples.
        batch_size: Examples in a step, over all replicas.
        strategy: Where `step` runs.
        jit_compile: Compile with XLA.

    Returns:
        A function of images, labels and the rows to take, in their order, that gives the totals.
    """

    def on_replica(images: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            rows = rows[context.replica_id_in_sync_group :: context.num_replicas_in_sync]
        return step(tf.gather(images, rows), tf.gather(labels, rows))

    def sweep(images: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        def totals_of(batch: tf.Tensor) -> tf.Tensor:
            per_replica = strategy.run(on_replica, args=(images, labels, batch))
            return strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)

        def body(index: tf.Tensor, totals: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return index + 1, totals + totals_of(tf.slice(rows, [index * batch_size], [batch_size]))

        full_batches, remainder = divmod(rows.shape[0], batch_size)
        _, totals = tf.while_loop(
            lambda index, _: index < full_batches,
            body,
            (tf.constant(0), tf.zeros(3, tf.float64)),
            parallel_iterations=1,
        )
        return totals + totals_of(rows[-remainder:]) if remainder else totals

    # Without AutoGraph, which takes longer to read Keras' code than all the rest of the tracing.
    xla = jit_compile and strategy.num_replicas_in_sync == 1
    compiled: Sweep = tf.function(sweep, autograph=False, jit_compile=xla)
    return compiled


def _training_step(
    model: keras.Model, strategy: tf.distribute.Strategy
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    replicas = strategy.num_replicas_in_sync

    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            probabilities = model(images, training=True)
            loss_sum = _loss_sum(labels, probabilities)
            batch_examples = tf.shape(labels)[0]
            if replicas > 1:  # the optimizer sums the gradients, so each is divided by the whole
                context = tf.distribute.get_replica_context()
                batch_examples = context.all_reduce(tf.distribute.ReduceOp.SUM, batch_examples)
            objective = loss_sum / tf.cast(batch_examples, loss_sum.dtype)
            if model.losses:  # of regularizers
                objective += tf.add_n(model.losses) / replicas
        gradients = tape.gradient(objective, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)
        return _totals(labels, probabilities, loss_sum)

    return step


def _scoring_step(model: keras.Model) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        probabilities = model(images, training=False)
        return _totals(labels, probabilities, _loss_sum(labels, probabilities))

    return step


def _loss_sum(labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    truth = tf.one_hot(labels, probabilities.shape[-1])
    return tf.reduce_sum(keras.losses.categorical_crossentropy(truth, probabilities))


def _totals(labels: tf.Tensor, probabilities: tf.Tensor, loss_sum: tf.Tensor) -> tf.Tensor:
    predicted = tf.argmax(probabilities, axis=-1, output_type=labels.dtype)
    correct = tf.math.count_nonzero(predicted == labels, dtype=tf.int32)
    return tf.stack([tf.cast(x, tf.float64) for x in (loss_sum, correct, tf.size(labels))])
