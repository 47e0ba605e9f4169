"""Where in an image a convolutional model finds what speaks for a class: Grad-CAM.

The last feature maps before the model forgets places are added up, each weighted by how much the
class's logit grows with it on average over the places. What is left above 0 speaks for the class.

Source: Selvaraju et al., Grad-CAM, ICCV 2017, https://arxiv.org/abs/1610.02391, equations 1 and 2.

TensorFlow is imported only where a model is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from imago.core.errors import ModelError

if TYPE_CHECKING:
    import keras

Maps = NDArray[np.float32]
"""(n, h, w), 0..1, of the size of the feature maps; 1 where most speaks for the class."""

IMAGES_PER_CALL = 16
OPACITY = 0.65
"""Of the colour over an image where a map is 1."""


def compute(
    model: keras.Model, pixels: NDArray[np.uint8], labels: NDArray[np.integer] | None = None
) -> Maps:
    """Compute a map for each image; for many calls with one model, keep an `Explainer`.

    Args:
        model: From pixels, (n, H, W, C) uint8, to probabilities, (n, K) float32.
        pixels: (n, H, W, C) uint8, 0-255.
        labels: (n,) positions of the classes of interest. None: those predicted.

    Returns:
        (n, h, w) float32, 0..1: the greatest value of each map is 1, or all are 0 where nothing
        speaks for the class.

    Raises:
        ModelError: The model is not convolutional.
    """
    return Explainer.of(model).maps(pixels, labels)


@dataclass(frozen=True)
class Explainer:
    """What a model finds, and what it makes of that; shares the model's weights.

    Attributes:
        graph: From pixels, (n, H, W, C) uint8, to the last feature maps, (n, h, w, F), and logits,
            (n, K), or what the model gives where it does not end in a softmax.
    """

    graph: keras.Model

    @classmethod
    def of(cls, model: keras.Model) -> Self:
        """Look into a model. Raises ModelError where it is not convolutional."""
        import keras

        inputs, steps = _traced(model)
        maps = [step.output for step in _after_convolution(steps) if _has_places(step.output)]
        if not maps:
            message = (
                f"{model.name}: must be a convolutional model with maps of more than one place, "
                f"got {model.count_params():,} parameters without; it has no activation maps"
            )
            raise ModelError(message)
        return cls(keras.Model(inputs, [maps[-1], _logits(steps[-1])]))

    def maps(self, pixels: NDArray[np.uint8], labels: NDArray[np.integer] | None = None) -> Maps:
        """Compute a map for each image; arguments and result as of `compute`."""
        shape = self.graph.output_shape[0]
        found = np.empty((len(pixels), *shape[1:3]), np.float32)
        for start in range(0, len(pixels), IMAGES_PER_CALL):
            part = slice(start, start + IMAGES_PER_CALL)
            found[part] = self._evidence(pixels[part], None if labels is None else labels[part])
        greatest = found.max(axis=(1, 2), keepdims=True)
        found /= np.where(greatest > 0, greatest, 1)
        return found

    def _evidence(
        self, pixels: NDArray[np.uint8], labels: NDArray[np.integer] | None
    ) -> NDArray[np.float32]:
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            # All weights, for those of a frozen backbone would leave no trace to the maps.
            tape.watch([weight.value for weight in self.graph.weights])
            maps, logits = self.graph(tf.constant(np.ascontiguousarray(pixels)), training=False)
            chosen = tf.argmax(logits, axis=-1) if labels is None else tf.constant(labels)
            # No image's logit depends on another's maps: the gradient of the sum is that of each.
            of_class = tf.reduce_sum(logits * tf.one_hot(chosen, logits.shape[-1]))
        weights = tf.reduce_mean(tape.gradient(of_class, maps), axis=(1, 2), keepdims=True)
        return np.asarray(tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1)))


def overlay(pixels: NDArray[np.uint8], maps: Maps) -> NDArray[np.uint8]:
    """Lay colours over images that are made gray: none where a map is 0, yellow where it is 1.

    Args:
        pixels: (n, H, W, C) uint8, 0-255, C is 1 or 3.
        maps: (n, h, w) float32, 0..1; enlarged between their places in straight lines.

    Returns:
        (n, H, W, 3) uint8.
    """
    count, height, width, _ = pixels.shape
    found = np.empty((count, height, width, 3), np.uint8)
    for image, values, target in zip(pixels, maps, found, strict=True):
        heat = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        share = OPACITY * heat[..., np.newaxis]
        gray = image.mean(axis=-1, keepdims=True)
        target[:] = np.round(gray * (1 - share) + colors(heat) * share)
    return found


def colors(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the colours of values of 0..1, (h, w, 3), which grow lighter with them."""
    levels = np.round(255 * heat).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_PLASMA)[..., ::-1], np.uint8)


@dataclass(frozen=True)
class _Step:
    """An operation of a model, in the order in which they are done."""

    operation: Any
    inputs: Any
    output: Any


def _traced(model: keras.Model) -> tuple[Any, list[_Step]]:
    """Apply the operations of a model anew, those of models inside it one by one.

    Returns:
        The model's new inputs, and its operations.
    """
    import keras

    steps: list[_Step] = []

    def call(operation: Any, *inputs: Any, **options: Any) -> Any:
        if isinstance(operation, keras.Model):
            apply(operation, inputs[0])
            return steps[-1].output
        output = operation(*inputs, **options)
        steps.append(_Step(operation, inputs[0], output))
        return output

    def apply(part: keras.Model, inputs: Any) -> Any:
        plain = keras.Model(part.inputs, part.outputs)  # also of a Sequential
        keep = {"clone_function": lambda operation: operation, "call_function": call}
        return keras.models.clone_model(plain, input_tensors=[inputs], **keep)

    inputs = keras.Input(batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype)
    apply(model, inputs)
    return inputs, steps


def _after_convolution(steps: list[_Step]) -> list[_Step]:
    """Return the steps from the first convolution on: what is before is the image itself."""
    from keras import layers

    kinds = layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D
    first = [index for index, step in enumerate(steps) if isinstance(step.operation, kinds)]
    return steps[first[0] :] if first else []


def _has_places(output: Any) -> bool:
    return len(output.shape) == 4 and output.shape[1] * output.shape[2] > 1


def _logits(last: _Step) -> Any:
    """Return what goes into the softmax at a model's end, whose own gradient is 0 where it is sure.

    Where there is none: what the model gives.
    """
    import keras

    operation = last.operation
    if isinstance(operation, keras.layers.Softmax):
        return last.inputs
    if getattr(operation, "activation", None) is not keras.activations.softmax:
        return last.output
    if isinstance(operation, keras.layers.Activation):
        return last.inputs
    linear = type(operation).from_config(operation.get_config() | {"activation": "linear"})
    logits = linear(last.inputs)
    linear.set_weights(operation.get_weights())
    return logits
