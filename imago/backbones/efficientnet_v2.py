"""EfficientNetV2, which begins with its own preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imago.backbones import _building
from imago.backbones._published import KERAS, Published

if TYPE_CHECKING:
    import keras

PUBLISHED = {
    "EfficientNetV2B0": [
        Published(
            entry="efficientnet_v2_b0",
            image_size_px=224,
            source=f"{KERAS}/efficientnet_v2/{{name}}",
            file="efficientnetv2-b0_notop.h5",
            digest="md5:893217f2bb855e2983157299931e43ff",
        )
    ],
    "EfficientNetV2B1": [
        Published(
            entry="efficientnet_v2_b1",
            image_size_px=240,
            source=f"{KERAS}/efficientnet_v2/{{name}}",
            file="efficientnetv2-b1_notop.h5",
            digest="md5:0e80663031ca32d657f9caa404b6ec37",
        )
    ],
    "EfficientNetV2B2": [
        Published(
            entry="efficientnet_v2_b2",
            image_size_px=260,
            source=f"{KERAS}/efficientnet_v2/{{name}}",
            file="efficientnetv2-b2_notop.h5",
            digest="md5:1dfe2e7a5d45b6632553a8961ea609eb",
        )
    ],
    "EfficientNetV2B3": [
        Published(
            entry="efficientnet_v2_b3",
            image_size_px=300,
            source=f"{KERAS}/efficientnet_v2/{{name}}",
            file="efficientnetv2-b3_notop.h5",
            digest="md5:f6abf7b5849ac99a89b50dd3fd532856",
        )
    ],
}
NAMES = tuple(PUBLISHED)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights)
