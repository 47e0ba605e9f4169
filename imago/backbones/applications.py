"""Frozen nets of keras.applications, from raw pixels to features.

Keras is imported only where a net is built, so that params.yaml can be checked without it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from imago.core import sections
from imago.core.errors import DataError, ParamsError

if TYPE_CHECKING:
    import keras

SMALLEST_PX = sections.SMALLEST_BACKBONE_PX


def _built_in(pixels: Any) -> Any:
    """Pixels as they are: the net begins with its own preprocessing."""
    return pixels


def _to_plus_minus_one(pixels: Any) -> Any:
    import keras

    return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(pixels)


def _standardized(pixels: Any) -> Any:
    """Pixels as 0..1, less the mean and over the standard deviation of ImageNet's, by channel."""
    import keras

    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return keras.layers.Rescaling(
        scale=[1 / (255 * deviation) for deviation in deviations],
        offset=[-mean / deviation for mean, deviation in zip(means, deviations, strict=True)],
        name="preprocessing",
    )(pixels)


def _centered_bgr(pixels: Any) -> Any:
    """Pixels as BGR, less the mean of ImageNet's, by channel."""
    import keras

    bgr = keras.ops.flip(pixels, axis=-1)
    offset = [-103.939, -116.779, -123.68]
    return keras.layers.Rescaling(1.0, offset=offset, name="preprocessing")(bgr)


_PREPROCESSING: dict[sections.Backbone, Callable[[Any], Any]] = {
    "DenseNet121": _standardized,
    "EfficientNetV2B0": _built_in,
    "EfficientNetV2B1": _built_in,
    "EfficientNetV2B2": _built_in,
    "EfficientNetV2B3": _built_in,
    "MobileNetV2": _to_plus_minus_one,
    "MobileNetV3Large": _built_in,
    "MobileNetV3Small": _built_in,
    "ResNet50": _centered_bgr,
    "ResNet50V2": _to_plus_minus_one,
}
"""What each net was trained on. Source: `preprocess_input` beside each in keras.applications."""

NAMES = get_args(sections.Backbone)


def build(
    name: sections.Backbone,
    image_shape: tuple[int, ...],
    weights: Path,
    pooling: Literal["average", "max"],
) -> keras.Model:
    """Build a net without its head, all layers frozen.

    Args:
        name: One of NAMES.
        image_shape: (H, W, 3), H and W of SMALLEST_PX or more.
        weights: Of the net without its head, a `.h5` file as Keras publishes them or a
            `.weights.h5` file as `save_weights` writes them.
        pooling: Over the positions of the last maps.

    Returns:
        From RGB pixels, (N, H, W, 3) uint8, 0-255, to features, (N, F) float32. Its layers are
        not nested, and keras.saving reads it in safe mode.

    Raises:
        DataError: The weights are missing or are not those of this net.
        ParamsError: There is no such net here, or the images are too small for it.
    """
    _check(name, image_shape)
    if not weights.is_file():
        message = f"{weights}: not found; run the stage that fetches it"
        raise DataError(message)
    import keras

    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    prepared = _PREPROCESSING[name](pixels)
    net = getattr(keras.applications, name)(include_top=False, weights=None, input_tensor=prepared)
    _load(keras.Model(prepared, net.output), weights, name)
    layers = keras.layers
    pool = layers.GlobalAveragePooling2D if pooling == "average" else layers.GlobalMaxPooling2D
    model = keras.Model(pixels, pool(name="pooling")(net.output), name=name.lower())
    model.trainable = False
    return model


def _check(name: str, image_shape: tuple[int, ...]) -> None:
    if name not in _PREPROCESSING:
        message = f"backbone must be one of {', '.join(NAMES)}, got {name!r}"
        raise ParamsError(message)
    height, width, channels = image_shape
    if channels != 3 or min(height, width) < SMALLEST_PX:
        message = (
            f"{name}: images must be RGB of {SMALLEST_PX}×{SMALLEST_PX} px or more, got "
            f"{height}×{width}×{channels}; change image_size_px or color of the variant"
        )
        raise ParamsError(message)


def _load(net: keras.Model, weights: Path, name: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of layers not found: an error follows
            net.load_weights(weights)
    except (KeyError, OSError, ValueError) as error:  # what Keras and h5py raise for other files
        reason = str(error).strip().partition("\n")[0]
        message = (
            f"{weights}: must hold the weights of {name} without its head, as .h5 or .weights.h5: "
            f"{reason}; name the right file in the section weights of params.yaml"
        )
        raise DataError(message) from error
