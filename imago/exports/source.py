"""What an export is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

PIXELS, PROBABILITIES = "pixels", "probabilities"
"""Names of every format's input and output."""


@dataclass(frozen=True)
class Source:
    """A trained model, and what formats need beside it.

    Attributes:
        model: From (N, H, W, C) uint8 to (N, K) float32.
        description: Class names, input and output, for formats that can hold it.
        calibration: (n, H, W, C) uint8, training images that show what values there are inside.
    """

    model: keras.Model
    description: Mapping[str, Any]
    calibration: NDArray[np.uint8]

    def module(self) -> tf.Module:
        """Wrap the model as a module with one function, `serve`, from pixels to probabilities."""
        model, module = self.model, tf.Module(name="imago")
        # Keras' own export lists the variables in the order of a set, so its bytes vary. The
        # weights are all that serving needs: random generators' states are drawn at each load.
        module.kept = [weight.value for weight in model.weights]
        pixels = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name=PIXELS)
        module.serve = tf.function(
            lambda pixels: {PROBABILITIES: model(pixels, training=False)},
            input_signature=[pixels],
            autograph=False,
        )
        return module
