"""EfficientNetV2, which begins with its own preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imago.backbones import _building

if TYPE_CHECKING:
    import keras

NAMES = ("EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3")


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights)
