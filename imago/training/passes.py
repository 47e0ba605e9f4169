"""Passes over a split, each compiled as one graph call.

Under a `tf.distribute` strategy every replica holds all examples and takes its share of each batch;
the optimizer sums the gradients over the replicas. A last batch with fewer examples than replicas
leaves some of them none, which batch normalization does not bear.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imago.data.arrays import Split
from imago.data.shards import Shards
from imago.training import mixing, xla

Pass = Callable[[tf.Tensor, tf.Tensor], dict[str, float]]
"""Takes rows of a split, (N,) int32, in the order in which they are wanted, and for each what its
transformation is to be, (N, D) float32; gives `loss`, the mean in nats, and `accuracy`, 0..1, of
these examples. The loss of a training is that of its weighted, smoothed and mixed labels."""

Transform = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Changes images, (n, H, W, C) uint8, each as its row of (n, D) float32 says."""

_Step = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, int], tf.Tensor]
"""Takes a replica's images, labels and transformations, and the examples in the whole batch; gives
totals."""

_Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Takes a replica's images and transformations; gives the images for the step."""

GREATEST_ON_GPU = 2 * 2**30
"""Bytes of a split's images that are kept on a GPU when XLA compiles whole passes; more of them are
brought there batch by batch."""

_ALIGNMENT_BYTES = 64  # what TensorFlow's kernels and XLA expect of a buffer


def training(
    model: keras.Model,
    split: Split,
    batch_size: int,
    strategy: tf.distribute.Strategy,
    is_compiled: bool,
    class_weights: Sequence[float] | None,
    label_smoothing: float | None,
    transform: Transform | None,
    is_mixed: bool,
) -> Pass:
    """Compile a pass that takes a step of the model's optimizer for each batch.

    Args:
        model: From uint8 images to probabilities, (N, K) float32; compiled and built.
        split: Images (N, H, W, C) uint8, labels (N,) int32; used in place where they can be.
        batch_size: Examples in a step, over all replicas; the last may have fewer.
        strategy: Where the model is.
        is_compiled: With XLA, the whole pass where it can be, else each step; one replica only.
        class_weights: How much an example of each class counts, K numbers. None: 1.
        label_smoothing: The share of each label that goes to all classes alike. None: 0.
        transform: Applied to each batch of images. None: they stay as they are.
        is_mixed: Whether each example is then mixed with another of its replica's; the last number
            of its transformation is the share that it keeps.
    """
    (class_count,) = model.output_shape[1:]

    def step(
        images: tf.Tensor, labels: tf.Tensor, draws: tf.Tensor, batch_examples: int
    ) -> tf.Tensor:
        truth = _truth(labels, class_count, class_weights, label_smoothing)
        if is_mixed:
            shares = draws[:, -1:]
            images, truth = mixing.mix(images, shares), mixing.mix(truth, shares)
        with tf.GradientTape() as tape:
            probabilities = model(images, training=True)
            loss_sum = _loss_sum(truth, probabilities)
            objective = loss_sum / batch_examples
            if model.losses:  # of regularizers
                objective += tf.add_n(model.losses) / strategy.num_replicas_in_sync
            objective = model.optimizer.scale_loss(objective)  # more only where float16 is used
        gradients = tape.gradient(objective, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)
        return _totals(labels, probabilities, loss_sum)

    change = transform and functools.partial(_transformed, transform, is_mixed)
    return _compiled(step, split, batch_size, strategy, is_compiled, change)


def scoring(
    model: keras.Model,
    split: Split,
    batch_size: int,
    strategy: tf.distribute.Strategy,
    is_compiled: bool,
) -> Pass:
    """Compile a pass that changes nothing; arguments as for `training`."""
    (class_count,) = model.output_shape[1:]

    def step(images: tf.Tensor, labels: tf.Tensor, _: tf.Tensor, batch_examples: int) -> tf.Tensor:
        probabilities = model(images, training=False)
        return _totals(labels, probabilities, _loss_sum(_truth(labels, class_count), probabilities))

    return _compiled(step, split, batch_size, strategy, is_compiled)


def _compiled(
    step: _Step,
    split: Split,
    batch_size: int,
    strategy: tf.distribute.Strategy,
    is_compiled: bool,
    change: _Change | None = None,
) -> Pass:
    on_gpu = is_compiled and xla.has_gpu()
    in_shards = isinstance(split.images, Shards)  # which no tensor can hold
    is_large = on_gpu and split.images.nbytes > GREATEST_ON_GPU
    streams = change is not None or in_shards or is_large
    take = functools.partial(_read, split.images) if in_shards else tf.gather
    if is_compiled and streams:  # what brings a batch there, XLA cannot compile
        step = tf.function(step, autograph=False, jit_compile=True)

    def on_replica(
        images: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor, draws: tf.Tensor
    ) -> tf.Tensor:
        batch_examples = rows.shape[0]
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            own = slice(context.replica_id_in_sync_group, None, context.num_replicas_in_sync)
            rows, draws = rows[own], draws[own]
        with tf.device("CPU" if on_gpu and streams else None):
            images, labels = take(images, rows), tf.gather(labels, rows)
        if change:
            images = change(images, draws)
        return step(images, labels, draws, batch_examples)

    def whole(images: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        def totals_of(*batch: tf.Tensor) -> tf.Tensor:
            per_replica = strategy.run(on_replica, args=(images, labels, *batch))
            return strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)

        return _over_batches(totals_of, batch_size, rows, draws)

    # Without AutoGraph, which takes longer to read Keras' code than all the rest of the tracing.
    compiled = tf.function(whole, autograph=False, jit_compile=is_compiled and not streams)
    images = tf.zeros(0) if in_shards else _tensor(split.images)
    labels = _tensor(split.labels)
    if on_gpu and not streams:
        with tf.device("GPU"):
            images, labels = tf.identity(images), tf.identity(labels)

    def run(rows: tf.Tensor, draws: tf.Tensor) -> dict[str, float]:
        loss_sum, correct, examples = compiled(images, labels, rows, draws).numpy().tolist()
        return {"loss": loss_sum / examples, "accuracy": correct / examples}

    return run


def _over_batches(
    totals_of: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    batch_size: int,
    rows: tf.Tensor,
    draws: tf.Tensor,
) -> tf.Tensor:
    """Add up the totals of all batches of rows, with their draws; the last may be smaller."""

    def body(index: tf.Tensor, totals: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        start = index * batch_size
        batch_rows = tf.slice(rows, [start], [batch_size])
        batch_draws = tf.slice(draws, [start, 0], [batch_size, draws.shape[1]])
        return index + 1, totals + totals_of(batch_rows, batch_draws)

    full_batches, remainder = divmod(rows.shape[0], batch_size)
    totals = tf.zeros(3, tf.float64)
    if full_batches:  # XLA refuses a slice longer than `rows`, even in a loop of no rounds
        _, totals = tf.while_loop(
            lambda index, _: index < full_batches,
            body,
            (tf.constant(0), totals),
            parallel_iterations=1,
        )
    return totals + totals_of(rows[-remainder:], draws[-remainder:]) if remainder else totals


def _transformed(
    transform: Transform, is_mixed: bool, images: tf.Tensor, draws: tf.Tensor
) -> tf.Tensor:
    draws = draws[:, :-1] if is_mixed else draws
    changed = tf.numpy_function(transform, [images, draws], images.dtype, stateful=False)
    return tf.ensure_shape(changed, images.shape)


def _read(images: NDArray[Any] | Shards, _: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Gather images from several files."""
    found = tf.numpy_function(images.__getitem__, [rows], images.dtype, stateful=False)
    return tf.ensure_shape(found, (rows.shape[0], *images.shape[1:]))


def _tensor(array: np.ndarray) -> tf.Tensor:
    """Return a tensor over the pages of a mapped file, else over a copy of the array."""
    if isinstance(array, np.memmap) and array.filename and not array.offset % _ALIGNMENT_BYTES:
        # DLPack knows no read-only memory: private pages, which nothing writes to.
        pages = np.memmap(array.filename, array.dtype, "c", array.offset, array.shape)
        return tf.experimental.dlpack.from_dlpack(pages.__dlpack__())
    return tf.constant(np.asarray(array))


def _truth(
    labels: tf.Tensor,
    class_count: int,
    class_weights: Sequence[float] | None = None,
    label_smoothing: float | None = None,
) -> tf.Tensor:
    """Return what the probabilities should be, (n, K), times the weight of each example."""
    # One-hot: the gradient by index is a scatter, which is slow where it must be deterministic.
    truth = tf.one_hot(labels, class_count)
    if class_weights:
        truth *= tf.constant(class_weights, truth.dtype)
    if label_smoothing:
        spread = tf.reduce_mean(truth, axis=-1, keepdims=True)
        truth += label_smoothing * (spread - truth)
    return truth


def _loss_sum(truth: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(keras.losses.categorical_crossentropy(truth, probabilities))


def _totals(labels: tf.Tensor, probabilities: tf.Tensor, loss_sum: tf.Tensor) -> tf.Tensor:
    """Return (3,) float64: the sum of the losses, the number of right answers, of examples."""
    predicted = tf.argmax(probabilities, axis=-1, output_type=labels.dtype)
    correct = tf.math.count_nonzero(predicted == labels, dtype=tf.int32)
    return tf.stack([tf.cast(x, tf.float64) for x in (loss_sum, correct, tf.size(labels))])
