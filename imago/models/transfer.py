"""A head of dense layers on the features of a frozen backbone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from imago.core import sections
from imago.core.errors import ParamsError
from imago.data import arrays
from imago.models import _layers

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)


MOST_FEATURES = 2048
"""Of a backbone, for an image."""


class Settings(sections.TrainOnFeatures):
    """What params.yaml says of a head besides what every training needs."""

    model: Literal["transfer"]
    hidden_units: sections.Layers
    """Units of each hidden layer, from the features on; ReLU."""
    dropout: sections.Dropout
    """Share of each hidden layer's outputs zeroed in training."""

    def misfit(self, image_shape: tuple[int, int, int]) -> str | None:
        """Say why there can be no such model of images (H, W, C), None if there can."""
        weights = sections.dense_weights(MOST_FEATURES, self.hidden_units)
        numbers = self.batch_size * max(self.hidden_units, default=0)
        return sections.too_large(weights, numbers) or super().misfit(image_shape)


def build(
    settings: Settings,
    features_shape: tuple[int],
    class_count: int,
    statistics: arrays.Statistics | None,
) -> keras.Model:
    """Build the untrained head.

    Args:
        settings: The experiment's `train` section.
        features_shape: (F,), the length of a vector of features.
        class_count: K, the number of classes.
        statistics: Not used: backbones bring their own normalisation.

    Returns:
        From features, (N, F) float32, to probabilities, (N, K) float32.
    """
    import keras  # here, since checking params.yaml must not cost TensorFlow's start

    features = keras.Input(features_shape, name="features")
    outputs = _layers.probabilities(features, settings.hidden_units, settings.dropout, class_count)
    return keras.Model(features, outputs, name="head")


def complete(backbone: keras.Model, head: keras.Model) -> keras.Model:
    """Put a head onto its backbone: from pixels, (N, H, W, 3) uint8, to probabilities.

    The layers are those of the two, side by side in one model, with their weights.
    """
    import keras

    (outputs,) = backbone.outputs
    for layer in head.layers[1:]:  # the first is the input
        outputs = layer(outputs)
    return keras.Model(backbone.inputs, outputs, name="transfer")


def unfreeze(backbone: keras.Model, layers: int) -> None:
    """Let the last layers with weights of a backbone learn, batch normalization aside.

    Its means and variances are those of many more images than a fine-tuning has.

    Raises:
        ParamsError: There are fewer such layers.
    """
    import keras

    normalization = keras.layers.BatchNormalization
    able = [
        layer for layer in backbone.layers if layer.weights and not isinstance(layer, normalization)
    ]
    if layers > len(able):
        message = (
            f"fine_tune.layers must be at most {len(able)}, the layers of {backbone.name} that "
            f"have weights, batch normalization aside, got {layers}"
        )
        raise ParamsError(message)
    for layer in able[-layers:]:
        layer.trainable = True
    log.info("fine-tuning changes the backbone from its layer %s on", able[-layers].name)
