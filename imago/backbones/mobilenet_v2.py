"""MobileNetV2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imago.backbones import _building
from imago.backbones._published import KERAS, Published
from imago.core.sections import UNPUBLISHED

if TYPE_CHECKING:
    import keras

PUBLISHED = {
    "MobileNetV2": [
        Published(
            entry=f"mobilenet_v2_{side}",
            image_size_px=side,
            source=f"{KERAS}/mobilenet_v2/{{name}}",
            file=f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{side}_no_top.h5",
            digest=UNPUBLISHED,
        )
        for side in (96, 128, 160, 192, 224)
    ]
}
NAMES = tuple(PUBLISHED)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights, _building.to_plus_minus_one)
