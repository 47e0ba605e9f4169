"""What a convolutional model looked at: the one part of the page that needs TensorFlow."""

import functools
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from imago.core import paths
from imago.runtimes import trained

Look = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""From (n, H, W, C) uint8 to the same in grey, (n, H, W, 3), with what counted in colour."""

_LOCK = threading.Lock()  # Keras is asked by one visitor at a time


def load(name: str) -> Look:
    """Load an experiment's Keras model, once; the first load of all starts TensorFlow.

    Raises:
        ImagoError: The model is missing, damaged, or not convolutional.
        OSError: The same, where the file cannot be read.
    """
    written = (paths.model(name) / trained.KERAS_FILE).stat().st_mtime_ns
    with _LOCK:
        look = _load(name, written)

    def locked(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        with _LOCK:
            return look(pixels)

    return locked


@functools.lru_cache(maxsize=4)
def _load(name: str, _: int) -> Look:
    from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
    from imago import activation_maps
    from imago.runtimes import saving

    model, _classes = saving.read(paths.model(name))
    explainer = activation_maps.Explainer.of(model)
    return lambda pixels: activation_maps.overlay(pixels, explainer.maps(pixels))
