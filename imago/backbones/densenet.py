"""DenseNet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.backbones import _building
from imago.backbones._published import KERAS, Published

if TYPE_CHECKING:
    import keras

PUBLISHED = {
    "DenseNet121": [
        Published(
            entry="densenet121",
            image_size_px=224,
            source=f"{KERAS}/densenet/{{name}}",
            file="densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
            digest="md5:30ee3e1110167f948a6b9946edeeb738",
        )
    ],
}
NAMES = tuple(PUBLISHED)


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
