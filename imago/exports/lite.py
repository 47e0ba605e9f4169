"""LiteRT, in numbers of 32 bits, with weights of 16, or in whole numbers of 8 bits."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imago.exports.source import Source
from imago.runtimes import conversion, native_stderr

Precision = Literal["float32", "float16", "int8"]


def write(source: Source, path: Path, precision: Precision) -> None:
    """Write a model.

    Args:
        source: int8 needs its calibration images: the ranges of all values inside are theirs.
        path: Of the file.
        precision: float16 holds the weights only, and computes in float32; int8 computes in whole
            numbers from the first layer to the last, and gives probabilities in steps of 1/256.
    """
    module = source.module()
    converter = conversion.converter(module, module.serve.get_concrete_function())
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = lambda: _one_by_one(source.calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings(), native_stderr.closed():
        # Of the input: it is a whole number before anything is quantized.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        path.write_bytes(converter.convert())


def _one_by_one(images: NDArray[np.uint8]) -> Iterator[list[Any]]:
    for image in images:
        yield [image[np.newaxis]]
