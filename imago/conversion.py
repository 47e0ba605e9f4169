"""Keras models to LiteRT, one file that runs without TensorFlow; see imago.litert."""

from typing import Any

import keras
import tensorflow as tf


def convert(model: tf.Module | keras.Model, function: Any) -> bytes:
    """Convert a function that calls a model; equal models give equal bytes.

    Args:
        model: Holds the weights.
        function: A concrete function of TensorFlow with one input.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    # The detour over a SavedModel costs twice the time, and loses the weights of a Keras model.
    converter.experimental_lower_to_saved_model = False
    return bytes(converter.convert())
