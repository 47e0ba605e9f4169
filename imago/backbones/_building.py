"""What families of nets share: checks, and the nets of keras.applications, without their heads.

Source of the preprocessing of each of these: `preprocess_input` beside them in keras.applications.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.core import sections
from imago.core.errors import DataError, ParamsError

if TYPE_CHECKING:
    import keras


def check(name: str, image_shape: tuple[int, ...], weights: Path) -> None:
    """Check what a net is to be built for.

    Raises:
        DataError: The weights are missing.
        ParamsError: The images are too small, or not RGB.
    """
    smallest = sections.SMALLEST_BACKBONE_PX
    height, width, channels = image_shape
    if channels != 3 or min(height, width) < smallest:
        message = (
            f"{name}: images must be RGB of {smallest}×{smallest} px or more, got "
            f"{height}×{width}×{channels}; change image_size_px or color of the variant"
        )
        raise ParamsError(message)
    if not weights.is_file():
        message = f"{weights}: not found; run the stage that fetches it"
        raise DataError(message)


def application(
    name: str,
    image_shape: tuple[int, ...],
    weights: Path,
    preprocess: Callable[[Any], Any] = lambda pixels: pixels,
) -> keras.Model:
    """Build a net of keras.applications, from pixels to its last maps; see `imago.backbones`.

    Args:
        name: Of a function of keras.applications.
        image_shape: (H, W, 3).
        weights: Of the net without its head, a `.h5` file as Keras publishes them or a
            `.weights.h5` file as `save_weights` writes them.
        preprocess: From pixels to what the net takes; left out where the net does it itself.

    Raises:
        DataError: The weights are missing or are not those of this net.
        ParamsError: The images are not such as it takes.
    """
    check(name, image_shape, weights)
    import keras

    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    prepared = preprocess(pixels)
    net = getattr(keras.applications, name)(include_top=False, weights=None, input_tensor=prepared)
    _load(keras.Model(prepared, net.output), weights, name)
    return keras.Model(pixels, net.output, name=name.lower())


def to_plus_minus_one(pixels: Any) -> Any:
    """Scale pixels to -1..1."""
    import keras

    return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(pixels)


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
