"""What an export is made from."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imago.images import framing
from imago.runtimes.model_json import ExportDescription

PIXELS, PROBABILITIES, DISTANCE = "pixels", "probabilities", "training_distance"
"""Names of every format's input and of its outputs, the second of which few models have."""
MEASURED = 5_000
"""Training images, at most, that are looked at for how they show their subject."""


@dataclass(frozen=True)
class Source:
    """A trained model, and what formats need beside it.

    Attributes:
        model: From (N, H, W, C) uint8 to probabilities, (N, K) float32, or to a list of them and
            the distances to the training images, (N,) float32.
        description: Class names, input and output, for formats that can hold it.
        calibration: (n, H, W, C) uint8, training images that show what values there are inside.
    """

    model: keras.Model
    description: ExportDescription
    calibration: NDArray[np.uint8]

    def module(self) -> tf.Module:
        """Wrap the model as a module with one function, `serve`, from pixels to its outputs."""
        model, module = self.model, tf.Module(name="imago")
        # Keras' own export lists the variables in the order of a set, so its bytes vary. The
        # weights are all that serving needs: random generators' states are drawn at each load.
        module.kept = [weight.value for weight in model.weights]
        pixels = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name=PIXELS)
        names = (PROBABILITIES, DISTANCE)[: len(model.outputs)]
        module.serve = tf.function(
            lambda pixels: dict(zip(names, _listed(model(pixels, training=False)), strict=True)),
            input_signature=[pixels],
            autograph=False,
        )
        return module

    def without_distance(self) -> Self:
        """Return the same without the second output, if there is one."""
        model = keras.Model(self.model.inputs, self.model.outputs[0], name=self.model.name)
        return dataclasses.replace(self, model=model) if len(self.model.outputs) > 1 else self


def _listed(outputs: Any) -> list[Any]:
    return outputs if isinstance(outputs, list) else [outputs]


def describe(
    experiment: str,
    classes: Sequence[str],
    variant: Mapping[str, Any],
    training_images: NDArray[np.uint8],
) -> ExportDescription:
    """Describe what every format takes and gives; none is there yet.

    Args:
        experiment: Its name.
        classes: K names, in the order of the probabilities.
        variant: How images were prepared: color, fit, interpolation.
        training_images: (N, H, W, C) uint8, 0-255.
    """
    _, *shape = training_images.shape
    return ExportDescription(
        experiment=experiment,
        classes=tuple(classes),
        input={
            "name": PIXELS,
            "shape": [None, *shape],
            "dtype": "uint8",
            "range": [0, 255],
            **{key: variant[key] for key in ("color", "fit", "interpolation")},
            "framing": _framing(training_images) if variant["color"] == "grayscale" else None,
        },
        output={"name": PROBABILITIES, "shape": [None, len(classes)], "dtype": "float32"},
        formats={},
    )


def _framing(training_images: NDArray[np.uint8]) -> dict[str, Any] | None:
    rows = np.linspace(0, len(training_images) - 1, min(MEASURED, len(training_images)), dtype=int)
    found = framing.measure(training_images[rows])
    return dataclasses.asdict(found) if found else None
