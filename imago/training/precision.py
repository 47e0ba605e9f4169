"""The numbers that a training computes with: 32 bits, or 16 where a device is faster with them.

Weights, the probabilities and the loss stay float32, and so does the trained model: it is saved and
exported as if it had been trained in 32 bits.

Source: Micikevicius et al., Mixed Precision Training, 2018
"""

import contextlib
from collections.abc import Iterator

import keras

from imago.core import sections


@contextlib.contextmanager
def applied(model: keras.Model, precision: sections.Precision | None) -> Iterator[None]:
    """Have the layers of a model compute in `precision`, while the block runs.

    A model that is compiled in the block has its loss scaled where float16 needs it.

    Args:
        model: Its last layer gives the probabilities.
        precision: None: float32.
    """
    computing = [model, *model.layers[:-1]] if precision else []
    before = [layer.dtype_policy for layer in computing]
    for layer in computing:
        layer.dtype_policy = precision
    try:
        yield
    finally:
        for layer, policy in zip(computing, before, strict=True):
            layer.dtype_policy = policy
