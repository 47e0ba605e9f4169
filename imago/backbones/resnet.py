"""ResNet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.backbones import _building
from imago.backbones._published import KERAS, Published

if TYPE_CHECKING:
    import keras

PUBLISHED = {
    "ResNet50": [
        Published(
            entry="resnet50",
            image_size_px=224,
            source=f"{KERAS}/resnet/{{name}}",
            file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
            digest="md5:4d473c1dd8becc155b73f8504c6f6626",
        )
    ],
}
NAMES = tuple(PUBLISHED)


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`."""
    return _building.application(name, image_shape, weights, preprocess)


def preprocess(pixels: Any) -> Any:
    """Turn pixels to BGR, less the mean of ImageNet's channels."""
    import keras

    bgr = keras.ops.flip(pixels, axis=-1)
    offset = [-103.939, -116.779, -123.68]
    return keras.layers.Rescaling(1.0, offset=offset, name="preprocessing")(bgr)
