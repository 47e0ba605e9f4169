"""LiteRT: models as one file that runs without TensorFlow, on processors several times faster."""

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From (n, H, W, C) uint8, n of any number, to (n, K) float32."""


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


def load(content: bytes, threads: int | None = None) -> Run:
    """Load a converted model, to be called from one thread at a time.

    Args:
        content: What `convert` gave.
        threads: That a call works on. None: one for each core.
    """
    interpreter = Interpreter(model_content=content, num_threads=threads or os.cpu_count() or 1)
    (pixels,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    shape: tuple[int, ...] = ()

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        nonlocal shape
        if images.shape != shape:
            shape = images.shape
            interpreter.resize_tensor_input(pixels["index"], shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(pixels["index"], images)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(result["index"]))

    return run
