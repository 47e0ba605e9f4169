"""LiteRT: runs a model without TensorFlow, on processors several times faster."""

import os
from collections.abc import Callable

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from imago.runtimes import native_stderr

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From (n, H, W, C) uint8, n of any number, to (n, K) float32."""


def load(content: bytes, threads: int | None = None) -> Run:
    """Load a converted model, to be called from one thread at a time.

    Args:
        content: What `imago.runtimes.conversion.convert` gave.
        threads: That a call works on. None: one for each core.
    """
    interpreter = Interpreter(model_content=content, num_threads=threads or os.cpu_count() or 1)
    with native_stderr.closed():  # on which it tells, once, of the processor's instructions
        interpreter.allocate_tensors()
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
