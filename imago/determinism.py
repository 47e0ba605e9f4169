"""One seed for every random draw, and operations that give equal bits for equal inputs."""

import keras
import tensorflow as tf


def enable(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and forbid operations that vary from run to run.

    To be called before a model is built. It changes the result of a training, so every training
    has it from the start.

    Source: https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
