"""A convolutional net: convolutions with pooling between them, then dense layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from imago.core import sections
from imago.core.errors import ParamsError
from imago.data import arrays
from imago.models import _layers

if TYPE_CHECKING:
    import keras


class Settings(sections.TrainOnPixels):
    """What params.yaml says of a cnn besides what every training of images needs."""

    convolutional = True

    model: Literal["cnn"]
    filters: Annotated[sections.Layers, Field(min_length=1)]
    """Feature maps of each convolution, from the input on; ReLU."""
    kernel_size_px: sections.Positive
    """Side of each convolution's square window, which stays within its input: no padding."""
    pooling_size_px: Annotated[int, Field(ge=2)]
    """Side of the squares that become their maximum after each convolution but the last."""
    batch_normalization: bool
    """Between each convolution, which then has no biases, and its ReLU."""
    dense_units: sections.Layers
    """Units of each dense layer after the convolutions; ReLU."""
    dropout: sections.Dropout
    """Share of each such layer's outputs zeroed in training."""

    @field_validator("kernel_size_px")
    @classmethod
    def _has_a_middle(cls, size: int) -> int:
        if size % 2 == 0:
            message = f"must be odd, so that a pixel is the window's middle, got {size}"
            raise ValueError(message)
        return size

    def misfit(self, image_shape: tuple[int, int, int]) -> str | None:
        """Say why there can be no such model of images (H, W, C), None if there can."""
        *sides, channels = image_shape
        weights = numbers = 0
        for index, filters in enumerate(self.filters, 1):
            if fault := _too_small(f"convolution_{index}", sides, "kernel_size_px", self):
                return fault
            sides = [side - self.kernel_size_px + 1 for side in sides]
            weights += self.kernel_size_px**2 * channels * filters
            channels = filters
            numbers = max(numbers, math.prod(sides) * channels)
            if index < len(self.filters):
                if fault := _too_small(f"pooling_{index}", sides, "pooling_size_px", self):
                    return fault
                sides = [side // self.pooling_size_px for side in sides]
        weights += sections.dense_weights(math.prod(sides) * channels, self.dense_units)
        numbers = max(numbers, *self.dense_units, 0)
        fault = sections.too_large(weights, self.batch_size * numbers)
        return fault or super().misfit(image_shape)


def _too_small(layer: str, sides: Sequence[int], key: str, settings: Settings) -> str | None:
    """Say that the window of a layer does not fit into the maps that it is for, None if it does."""
    size = getattr(settings, key)
    if min(sides) >= size:
        return None
    return (
        f"cnn: the input of {layer} must be at least {size}×{size} pixels, as {key} says, "
        f"got {sides[0]}×{sides[1]}; use fewer convolutions, a smaller {key} or larger images"
    )


def build(
    settings: Settings,
    image_shape: tuple[int, int, int],
    class_count: int,
    statistics: arrays.Statistics,
) -> keras.Model:
    """Build the untrained model.

    Args:
        settings: The experiment's `train` section.
        image_shape: (H, W, C) in pixels and channels.
        class_count: K, the number of classes.
        statistics: Of the training split, for `normalization: standardize`.

    Returns:
        From raw pixels, (N, H, W, C) uint8, 0-255, to probabilities, (N, K) float32.

    Raises:
        ParamsError: The images are too small for so many convolutions, or the model too large.
    """
    import keras  # here, since checking params.yaml must not cost TensorFlow's start

    if fault := settings.misfit(image_shape):
        raise ParamsError(fault)
    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    maps = _layers.layer(settings.normalization, statistics)(pixels)
    for index, filters in enumerate(settings.filters, 1):
        maps = _convolved(maps, index, filters, settings)
        if index < len(settings.filters):
            maps = _pooled(maps, index, settings)
    outputs = keras.layers.Flatten(name="flatten")(maps)
    outputs = _layers.probabilities(outputs, settings.dense_units, settings.dropout, class_count)
    return keras.Model(pixels, outputs, name="cnn")


def _convolved(
    maps: keras.KerasTensor, index: int, filters: int, settings: Settings
) -> keras.KerasTensor:
    """Add a convolution and its ReLU."""
    import keras

    name, kernel_size = f"convolution_{index}", settings.kernel_size_px
    # The mean that batch normalization subtracts would take a bias away again.
    use_bias = not settings.batch_normalization
    maps = keras.layers.Conv2D(filters, kernel_size, use_bias=use_bias, name=name)(maps)
    if settings.batch_normalization:
        maps = keras.layers.BatchNormalization(name=f"batch_normalization_{index}")(maps)
    return keras.layers.ReLU(name=f"relu_{index}")(maps)


def _pooled(maps: keras.KerasTensor, index: int, settings: Settings) -> keras.KerasTensor:
    """Add the pooling between two convolutions."""
    import keras

    name, size = f"pooling_{index}", settings.pooling_size_px
    return keras.layers.MaxPooling2D(size, name=name)(maps)
