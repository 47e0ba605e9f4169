"""One seed for every random draw, and operations that give equal bits for equal inputs.

float32 is float32 on GPUs too, which by themselves round the factors of products to 10 bits.
"""

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
    # On an H200 MobileNetV2's features are 0.9 % of the greatest off with it, and 0.0008 without.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if seed is not None:
        keras.utils.set_random_seed(seed)
