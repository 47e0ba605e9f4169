"""A backbone of two convolutions, for tests to which any backbone will do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imago.backbones import _building

if TYPE_CHECKING:
    import keras

NAMES = ("TinyNet",)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build it; see `imago.backbones`."""
    _building.check(name, image_shape, weights)
    net = untrained(image_shape)
    net.load_weights(weights)
    return net


def untrained(image_shape: tuple[int, ...]) -> keras.Model:
    """Build it with random weights."""
    import keras

    layers = keras.layers
    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    maps = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(pixels)
    for index, filters in enumerate((8, 16), 1):
        name = f"convolution_{index}"
        maps = layers.Conv2D(filters, 3, strides=4, use_bias=False, name=name)(maps)
        maps = layers.BatchNormalization(name=f"normalization_{index}")(maps)
        maps = layers.ReLU(name=f"activation_{index}")(maps)
    return keras.Model(pixels, maps, name="tinynet")
