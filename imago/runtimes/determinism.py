"""One seed for every random draw, and operations that give equal bits for equal inputs."""

import keras
import tensorflow as tf


def enable(seed: int | None = None) -> None:
    """Forbid operations that vary from run to run, and seed Python, NumPy and TensorFlow.

    To be called before a model is built or read.

    Args:
        seed: None where nothing is drawn.

    Source: https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism
    """
    tf.config.experimental.enable_op_determinism()
    if seed is not None:
        keras.utils.set_random_seed(seed)
