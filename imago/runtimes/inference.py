"""A model's outputs for many images, in LiteRT or in TensorFlow.

On processors alone LiteRT gives what Keras gives, to 1e-4, and several times as fast; a GPU is left
to TensorFlow, which is imported only where it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from imago.core import workers
from imago.runtimes import litert
from imago.runtimes.calls import (
    IMAGES_PER_THREAD,
    Call,
    Elsewhere,
    in_batches,
    side_by_side,
)

if TYPE_CHECKING:
    import keras

IMAGES_PER_CALL = 128
"""Of TensorFlow where it is compared with."""
IMAGES_PER_GPU_BATCH = 512
"""Enough to fill a GPU."""
BATCHES_PER_GPU_CALL = 8
"""Brought there while others are computed."""
FEWEST_ON_GPU = 20_000
"""Images; fewer LiteRT has done before TensorFlow has begun."""


@dataclass(frozen=True)
class Runtime:
    """Runs a model a few images at a time.

    Attributes:
        call: From (n, H, W, C) uint8 to (n, K) float32.
        images_per_call: n, which may be smaller in the last call.
    """

    call: Call
    images_per_call: int

    @classmethod
    def tensorflow(cls, model: keras.Model) -> Self:
        """Run a model from pixels as Keras does, in one graph for any number of images."""
        import tensorflow as tf

        graph, has_one = _graph(model), len(model.outputs) == 1

        def call(images: NDArray[np.uint8]) -> NDArray[np.float32]:
            found = graph(tf.constant(images))
            return side_by_side([one.numpy() for one in ([found] if has_one else found)])

        return cls(call, IMAGES_PER_CALL)

    @classmethod
    def gpu(cls, model: keras.Model) -> Self:
        """Run a model from pixels to one output under XLA, which compiles for one batch size."""
        import tensorflow as tf

        size = IMAGES_PER_GPU_BATCH
        graph = _graph(model, size, jit_compile=True)

        def begin(batch: NDArray[np.uint8]) -> Any:
            missing = [(0, size - len(batch)), *[(0, 0)] * (batch.ndim - 1)]
            return graph(tf.constant(np.pad(batch, missing) if len(batch) < size else batch))

        def call(images: NDArray[np.uint8]) -> NDArray[np.float32]:
            starts = range(0, len(images), size)
            begun = [begin(images[start : start + size]) for start in starts]  # does not wait
            return np.concatenate([outputs.numpy() for outputs in begun])[: len(images)]

        return cls(call, size * BATCHES_PER_GPU_CALL)

    @classmethod
    def litert(cls, content: bytes, threads: int | None = None) -> Self:
        """Run what `to_litert` gave; threads None: one for each core. Raises ValueError."""
        threads = threads or os.cpu_count() or 1
        return cls(litert.load(content, threads), threads * IMAGES_PER_THREAD)

    def outputs(
        self,
        images: NDArray[np.uint8],
        advance: Callable[[int], object],
        elsewhere: Elsewhere | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """Return the outputs for images, (N, H, W, C) uint8; see `in_batches`."""
        return in_batches(self.call, images, self.images_per_call, advance, elsewhere)


def pays_on_gpu(images: int) -> bool:
    """Say whether so many images are better left to a GPU, and TensorFlow has one.

    It is asked only where there is one of NVIDIA. A cluster has LiteRT do it, which gives the same
    bytes on each worker.
    """
    if images < FEWEST_ON_GPU or workers.are_elsewhere():
        return False
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return False
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def to_litert(model: keras.Model) -> bytes:
    """Convert a model from pixels, (N, H, W, C) uint8; equal models give equal bytes."""
    return litert.convert(model, _graph(model))


def _graph(model: keras.Model, images: int | None = None, *, jit_compile: bool = False) -> Any:
    import tensorflow as tf

    shape = (images, *model.input_shape[1:])
    function = tf.function(
        lambda pixels: model(pixels, training=False),
        input_signature=[tf.TensorSpec(shape, tf.uint8, name="pixels")],
        autograph=False,
        jit_compile=jit_compile,
    )
    return function.get_concrete_function()
