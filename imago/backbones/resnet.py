"""ResNet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.backbones import _building

if TYPE_CHECKING:
    import keras

NAMES = ("ResNet50",)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights, preprocess)


def preprocess(pixels: Any) -> Any:
    """Turn pixels to BGR, less the mean of ImageNet's channels."""
    import keras

    bgr = keras.ops.flip(pixels, axis=-1)
    offset = [-103.939, -116.779, -123.68]
    return keras.layers.Rescaling(1.0, offset=offset, name="preprocessing")(bgr)
