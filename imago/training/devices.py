"""Where a training runs: on one device, on all GPUs of a machine, or on several machines."""

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from imago.core import cluster
from imago.core.errors import TrainingError

log = logging.getLogger(__name__)


def strategy() -> tf.distribute.Strategy:
    """Return how a training is spread; to be called before TensorFlow computes anything.

    Over the machines that TF_CONFIG names, with all their GPUs; else over the GPUs that TensorFlow
    sees here (CUDA_VISIBLE_DEVICES hides some); else over none.

    Raises:
        ClusterError: TF_CONFIG names no process that trains.
    """
    own = cluster.member()
    if own.count > 1:
        log.info("process %d of %d, which begin when all are there", own.index + 1, own.count)
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


@contextlib.contextmanager
def as_one(model: keras.Model, spread: tf.distribute.Strategy) -> Iterator[None]:
    """Let the layers of a model see its replicas as one, while the block runs.

    Batch normalization takes the mean and variance of the whole batch, not of a replica's share;
    dropout drops other units in each replica, where Keras drops the same in all.
    """
    if spread.num_replicas_in_sync == 1:
        yield
        return
    layers = list(model._flatten_layers())
    normalizing = [x for x in layers if isinstance(x, keras.layers.BatchNormalization)]
    dropping = [x.seed_generator for x in layers if isinstance(x, keras.layers.Dropout) and x.rate]
    for layer in normalizing:
        layer.synchronized = True
    for generator in dropping:
        generator.next = functools.partial(_next_of_replica, generator.next)
    try:
        yield
    finally:
        for layer in normalizing:
            layer.synchronized = False
        for generator in dropping:
            del generator.next  # the method of its class shows again


def _next_of_replica(draw: Callable[[], tf.Tensor]) -> tf.Tensor:
    seed = draw()
    context = tf.distribute.get_replica_context()
    replica = tf.cast(context.replica_id_in_sync_group, seed.dtype) if context else 0
    return seed + tf.stack([replica * 2**20, tf.zeros((), seed.dtype)])


def from_chief(content: bytes, spread: tf.distribute.Strategy) -> bytes:
    """Return the bytes that the chief's process calls this with; all of them call it at once."""
    is_chief = cluster.member().is_chief
    length = int(_from_first(np.array([len(content) * is_chief], np.int64), spread)[0])
    words = np.zeros(-(-length // 8) * 8, np.uint8)
    if is_chief:
        words[:length] = np.frombuffer(content, np.uint8)
    return bytes(_from_first(words.view(np.int64), spread).tobytes()[:length])


def _from_first(values: np.ndarray, spread: tf.distribute.Strategy) -> np.ndarray:
    def own() -> tf.Tensor:
        is_first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
        return tf.where(is_first, tf.constant(values), tf.zeros_like(values))

    @functools.partial(tf.function, autograph=False)
    def total() -> tf.Tensor:
        return spread.reduce(tf.distribute.ReduceOp.SUM, spread.run(own), axis=None)

    return np.asarray(total())


@contextlib.contextmanager
def losses_told(epoch: int) -> Iterator[None]:
    """Say in one line that a process of a training was lost, in the epoch that is counted from 0.

    Raises:
        TrainingError: One was.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        message = (
            f"epoch {epoch + 1}: all processes of the training must be there to its end, and one "
            f"was lost; start all of them again, and they go on after epoch {epoch}"
        )
        raise TrainingError(message) from error
