"""Keras models to LiteRT, one file that runs without TensorFlow; see imago.runtimes.litert."""

from typing import Any

import keras
import tensorflow as tf


def convert(model: tf.Module | keras.Model, function: Any) -> bytes:
    """Convert a function that calls a model; equal models give equal bytes; see `converter`."""
    return bytes(converter(model, function).convert())


def converter(model: tf.Module | keras.Model, function: Any) -> tf.lite.TFLiteConverter:
    """Return the converter of a function that calls a model.

    Args:
        model: Holds the weights.
        function: A concrete function of TensorFlow with one input.
    """
    found = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    # The detour over a SavedModel costs twice the time, and loses the weights of a Keras model.
    found.experimental_lower_to_saved_model = False
    return found
