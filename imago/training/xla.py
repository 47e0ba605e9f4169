"""Compiling a training with XLA: where that pays, and what it needs of a model.

On a GPU a small net is bound by the start of one kernel after the other, of which XLA makes few; on
a processor convolutions are slower for it.
"""

import contextlib
import functools
import itertools
from collections.abc import Iterator
from typing import Literal

import keras
import tensorflow as tf

from imago.core.errors import TrainingError
from imago.runtimes.calls import first_line


def has_gpu() -> bool:
    """Tell whether this process computes on a GPU."""
    return bool(tf.config.list_logical_devices("GPU"))


def is_wanted(
    jit_compile: bool | Literal["auto"], model: keras.Model, strategy: tf.distribute.Strategy
) -> bool:
    """Decide whether a training is compiled; one of several replicas never is."""
    if strategy.num_replicas_in_sync > 1:
        return False
    if jit_compile == "auto":
        return has_gpu() and all(map(_is_apart, _pools(model)))
    return jit_compile


@contextlib.contextmanager
def applied(model: keras.Model, is_compiled: bool) -> Iterator[None]:
    """Let XLA compile a model's training in the block, where `is_compiled`.

    The gradient of a pool is one that XLA has on GPUs only without determinism. Where its windows
    lie apart a pool is written as the greatest of slices instead, with the same numbers.

    Raises:
        TrainingError: The model has what XLA cannot compile.
    """
    if not is_compiled:
        yield
        return
    pools = [pool for pool in _pools(model) if has_gpu() and _is_apart(pool)]
    for pool in pools:
        pool.call = functools.partial(_greatest, pool.pool_size)
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        message = (
            f"{model.name}: with jit_compile it must have only what XLA can compile, got: "
            f"{first_line(error)}; set jit_compile to false"
        )
        raise TrainingError(message) from error
    finally:
        for pool in pools:
            del pool.call  # the method of its class shows again


def _pools(model: keras.Model) -> list[keras.layers.MaxPooling2D]:
    return [
        layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.MaxPooling2D)
    ]


def _is_apart(pool: keras.layers.MaxPooling2D) -> bool:
    """Tell whether no pixel is in two windows, and each window lies within the image."""
    return tuple(pool.strides) == tuple(pool.pool_size) and pool.padding == "valid"


def _greatest(size: tuple[int, int], maps: tf.Tensor) -> tf.Tensor:
    """Return the greatest number in each window; of equal ones the gradient is the first's."""
    rows, columns = (side // step for side, step in zip(maps.shape[1:3], size, strict=True))
    kept = maps[:, : rows * size[0], : columns * size[1]]
    corners = itertools.product(range(size[0]), range(size[1]))
    return functools.reduce(
        tf.maximum, [kept[:, row :: size[0], column :: size[1]] for row, column in corners]
    )
