"""What model.json says of an exported model: all that is needed to hand it images."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.exports.source import PIXELS, PROBABILITIES
from imago.images import framing

MEASURED = 5_000
"""Training images, at most, that are looked at for how they show their subject."""


def describe(
    experiment: str,
    classes: Sequence[str],
    variant: Mapping[str, Any],
    training_images: NDArray[np.uint8],
) -> dict[str, Any]:
    """Describe what every format takes and gives.

    Args:
        experiment: Its name.
        classes: K names, in the order of the probabilities.
        variant: How images were prepared: color, fit, interpolation.
        training_images: (N, H, W, C) uint8, 0-255.
    """
    _, *shape = training_images.shape
    return {
        "experiment": experiment,
        "classes": list(classes),
        "input": {
            "name": PIXELS,
            "shape": [None, *shape],
            "dtype": "uint8",
            "range": [0, 255],
            **{key: variant[key] for key in ("color", "fit", "interpolation")},
            "framing": _framing(training_images) if variant["color"] == "grayscale" else None,
        },
        "output": {"name": PROBABILITIES, "shape": [None, len(classes)], "dtype": "float32"},
    }


def _framing(training_images: NDArray[np.uint8]) -> dict[str, Any] | None:
    rows = np.linspace(0, len(training_images) - 1, min(MEASURED, len(training_images)), dtype=int)
    found = framing.measure(training_images[rows])
    return dataclasses.asdict(found) if found else None
