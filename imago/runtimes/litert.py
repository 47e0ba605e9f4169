"""LiteRT: runs a model without TensorFlow, on processors several times faster.

All that imago knows of it is here. Running needs ai_edge_litert alone; TensorFlow, which makes its
files, is imported where a model is converted.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from imago.runtimes import native_stderr
from imago.runtimes.calls import Call, first_line, side_by_side

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Precision = Literal["float32", "float16", "int8"]


def load(content: bytes, threads: int | None = None) -> Call:
    """Load a converted model, to be called from one thread at a time.

    Args:
        content: What `convert` gave.
        threads: That a call works on. None: one for each core.

    Raises:
        ValueError: The content is not such a model.
    """
    try:
        interpreter = Interpreter(model_content=content, num_threads=threads or os.cpu_count() or 1)
        with native_stderr.closed():  # on which it tells, once, of the processor's instructions
            interpreter.allocate_tensors()
        (pixels,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
    except (RuntimeError, ValueError) as error:
        message = f"must be a whole .tflite file of one input: {first_line(error)}"
        raise ValueError(message) from error
    if list(pixels["shape_signature"][:1]) != [-1]:
        message = f"must take any number of images, got a model of {pixels['shape'].tolist()}"
        raise ValueError(message)
    shape = tuple(pixels["shape"].tolist())

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        nonlocal shape
        if images.shape != shape:
            shape = images.shape
            interpreter.resize_tensor_input(pixels["index"], shape, strict=True)
            interpreter.allocate_tensors()
        interpreter.set_tensor(pixels["index"], images)
        interpreter.invoke()
        return side_by_side([interpreter.get_tensor(one["index"]) for one in outputs])

    return run


def convert(
    model: tf.Module | keras.Model,
    function: Any,
    precision: Precision = "float32",
    calibration: NDArray[np.uint8] | None = None,
) -> bytes:
    """Convert a function that calls a model; equal models give equal bytes.

    Args:
        model: Holds the weights.
        function: A concrete function of TensorFlow with one input.
        precision: float16 holds the weights only, and computes in float32; int8 computes in whole
            numbers from the first layer to the last, and gives probabilities in steps of 1/256.
        calibration: (n, H, W, C), images that int8 needs: the ranges of all values inside are
            theirs.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    # The detour over a SavedModel costs twice the time, and loses the weights of a Keras model.
    converter.experimental_lower_to_saved_model = False
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = lambda: _one_by_one(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings(), native_stderr.closed():
        # Of the input: it is a whole number before anything is quantized.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        return bytes(converter.convert())


def _one_by_one(images: NDArray[np.uint8] | None) -> Iterator[list[Any]]:
    for image in images if images is not None else ():
        yield [image[np.newaxis]]
