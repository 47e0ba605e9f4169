"""MobileNetV3, which begins with its own preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imago.backbones import _building
from imago.backbones._published import KERAS, Published

if TYPE_CHECKING:
    import keras

PUBLISHED = {
    "MobileNetV3Large": [
        Published(
            entry="mobilenet_v3_large",
            image_size_px=224,
            source=f"{KERAS}/mobilenet_v3/{{name}}",
            file="weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
            digest="md5:07fb09a5933dd0c8eaafa16978110389",
        )
    ],
    "MobileNetV3Small": [
        Published(
            entry="mobilenet_v3_small",
            image_size_px=224,
            source=f"{KERAS}/mobilenet_v3/{{name}}",
            file="weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
            digest="md5:d3e8ec802a04aa4fc771ee12a9a9b836",
        )
    ],
}
NAMES = tuple(PUBLISHED)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights)
