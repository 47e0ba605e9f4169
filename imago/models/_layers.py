"""What architectures share: normalisation as the first layer, hidden layers, probabilities.

Normalisation is within the model, so that training and serving cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def probabilities(
    inputs: keras.KerasTensor, hidden_units: Sequence[int], dropout: float, class_count: int
) -> keras.KerasTensor:
    """Add hidden layers, and the one that gives the probabilities.

    Args:
        inputs: (N, F) float32.
        hidden_units: Of each hidden layer; ReLU.
        dropout: Share of each hidden layer's outputs that is zeroed in training.
        class_count: K.

    Returns:
        (N, K) float32.
    """
    import keras

    outputs = inputs
    for index, units in enumerate(hidden_units, 1):
        outputs = keras.layers.Dense(units, activation="relu", name=f"hidden_{index}")(outputs)
        if dropout:
            outputs = keras.layers.Dropout(dropout, name=f"dropout_{index}")(outputs)
    return keras.layers.Dense(class_count, activation="softmax", name="probabilities")(outputs)
