"""ResNetV2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imago.backbones import _building
from imago.backbones._published import KERAS, Published

if TYPE_CHECKING:
    import keras

PUBLISHED = {
    "ResNet50V2": [
        Published(
            entry="resnet50_v2",
            image_size_px=224,
            source=f"{KERAS}/resnet/{{name}}",
            file="resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
            digest="md5:fac2f116257151a9d068a22e544a4917",
        )
    ],
}
NAMES = tuple(PUBLISHED)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights, _building.to_plus_minus_one)
