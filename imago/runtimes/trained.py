"""A trained model's folder, and the model in it without TensorFlow.

    <folder>/model.keras     the model, as Keras saves it
    <folder>/model.tflite    the same, as LiteRT runs it
    <folder>/model.json      its class names and the number of its parameters

Both take pixels, (N, H, W, C) uint8, 0-255, and give probabilities, (N, K) float32, equal to 1e-4.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imago.core.errors import DataError
from imago.runtimes import calls, litert, model_json
from imago.runtimes.calls import Call

KERAS_FILE, LITERT_FILE = "model.keras", "model.tflite"


@dataclass(frozen=True)
class Trained:
    """A trained model, ready to run.

    Attributes:
        call: From (n, H, W, C) uint8 to (n, K) float32.
        classes: K names, in the order of the probabilities.
        parameters: Numbers in its weights.
        elsewhere: `call` for a cluster.
    """

    call: Call
    classes: tuple[str, ...]
    parameters: int
    elsewhere: calls.Elsewhere


def read(folder: Path, image_shape: Sequence[int]) -> Trained:
    """Load what `imago.runtimes.saving.write` wrote.

    Raises:
        DataError: There is none, or none for images of this shape, (H, W, C).
    """
    path = folder / LITERT_FILE
    if not path.is_file():
        message = f"{path}: not found; run the stage that writes it"
        raise DataError(message)
    described = model_json.read_trained(folder)
    described.verify(path)
    try:
        call = litert.load(path.read_bytes())
        calls.check(call, image_shape, len(described.classes))
    except ValueError as error:
        message = f"{path}: {error}; run the stage train again"
        raise DataError(message) from error
    load = functools.partial(_load, path.absolute())
    elsewhere = calls.Elsewhere(load, described.files[LITERT_FILE])
    return Trained(call, described.classes, described.parameters, elsewhere)


def _load(path: Path) -> tuple[Call, int]:
    return litert.load(path.read_bytes(), threads=1), calls.IMAGES_PER_THREAD
