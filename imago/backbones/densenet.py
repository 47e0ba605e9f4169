"""DenseNet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.backbones import _building

if TYPE_CHECKING:
    import keras

NAMES = ("DenseNet121",)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights, preprocess)


def preprocess(pixels: Any) -> Any:
    """Standardize pixels by the means and standard deviations of ImageNet's channels, as 0..1."""
    import keras

    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return keras.layers.Rescaling(
        scale=[1 / (255 * deviation) for deviation in deviations],
        offset=[-mean / deviation for mean, deviation in zip(means, deviations, strict=True)],
        name="preprocessing",
    )(pixels)
