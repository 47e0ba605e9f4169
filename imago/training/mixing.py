"""Mixup: each example of a batch with another one, and its label too.

Source: Zhang, Cissé, Dauphin, Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
"""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def draw(alpha: float, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Draw the share of itself that each of `count` examples keeps, (count, 1) float32, 0.5 to 1.

    The greater of a number from Beta(alpha, alpha) and the rest, so that an example stays nearer to
    itself than to the other, and its class is the one by which accuracy is counted.
    """
    share = generator.beta(alpha, alpha, (count, 1))
    return np.maximum(share, 1 - share).astype(np.float32)


def mix(values: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """Mix each example of a batch with the one that stands as far from its other end.

    The order of examples is random, and so is the pair.

    Args:
        values: (n, ...), images, features or labels; whole numbers are rounded.
        shares: (n, 1), of itself that each keeps.
    """
    numbers = tf.cast(values, tf.float32)
    shares = tf.reshape(shares, [-1, *[1] * (len(values.shape) - 1)])
    mixed = shares * numbers + (1 - shares) * numbers[::-1]
    return tf.cast(tf.round(mixed) if values.dtype.is_integer else mixed, values.dtype)
