"""MobileNetV2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imago.backbones import _building

if TYPE_CHECKING:
    import keras

NAMES = ("MobileNetV2",)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights, _building.to_plus_minus_one)
