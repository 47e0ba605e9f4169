"""Normalisation as the model's first layer, so that training and serving cannot differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from imago.data.arrays import Statistics

if TYPE_CHECKING:
    import keras


def layer(kind: Literal["rescale", "standardize"], statistics: Statistics) -> keras.Layer:
    """Return the layer from pixels, (N, H, W, C) uint8, 0-255, to float32.

    Args:
        kind: rescale divides by 255, to 0..1; standardize subtracts the mean and divides by the
            standard deviation of each channel.
        statistics: Of the training split.
    """
    import keras  # here, since architectures are imported to check params.yaml

    if kind == "rescale":
        return keras.layers.Rescaling(1 / 255, name="rescale")
    return keras.layers.Normalization(
        mean=statistics.mean, variance=statistics.variance, name="standardize"
    )
