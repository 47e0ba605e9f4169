"""A multilayer perceptron: the pixels in a row, then dense layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from imago.core import sections
from imago.data import arrays
from imago.models import _layers

if TYPE_CHECKING:
    import keras


class Settings(sections.TrainOnPixels):
    """What params.yaml says of an mlp besides what every training needs."""

    model: Literal["mlp"]
    hidden_units: sections.Layers
    """Units of each hidden layer, from the input on; ReLU."""
    dropout: sections.Dropout
    """Share of each hidden layer's outputs zeroed in training."""

    def misfit(self, image_shape: tuple[int, int, int]) -> str | None:
        """Say why there can be no such model of images (H, W, C), None if there can."""
        weights = sections.dense_weights(math.prod(image_shape), self.hidden_units)
        numbers = self.batch_size * max(self.hidden_units, default=0)
        return sections.too_large(weights, numbers) or super().misfit(image_shape)


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
    """
    import keras  # here, since checking params.yaml must not cost TensorFlow's start

    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    outputs = _layers.layer(settings.normalization, statistics)(pixels)
    outputs = keras.layers.Flatten(name="flatten")(outputs)
    outputs = _layers.probabilities(outputs, settings.hidden_units, settings.dropout, class_count)
    return keras.Model(pixels, outputs, name="mlp")
