"""A trained model's folder, and the model in it, as it runs fastest here.

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
from imago.runtimes import calls, inference, litert, model_json
from imago.runtimes.calls import Call

KERAS_FILE, LITERT_FILE = "model.keras", "model.tflite"


@dataclass(frozen=True)
class Trained:
    """A trained model, ready to run.

    Attributes:
        runtime: The fastest here.
        classes: K names, in the order of the probabilities.
        parameters: Numbers in its weights.
        elsewhere: `runtime` for a cluster.
    """

    runtime: inference.Runtime
    classes: tuple[str, ...]
    parameters: int
    elsewhere: calls.Elsewhere


def read(folder: Path, image_shape: Sequence[int], images: int = 0) -> Trained:
    """Load what `imago.runtimes.saving.write` wrote.

    Args:
        folder: Of the model.
        image_shape: (H, W, C) of what it is to take.
        images: How many; a GPU, if there is one, is used for many.

    Raises:
        DataError: There is none, or none for such images.
    """
    path = file(folder, images)
    described = model_json.read_trained(folder)
    described.verify(path)
    runtime = load(path, image_shape, len(described.classes), "run the stage train again")
    elsewhere = calls.Elsewhere(
        functools.partial(_load, path.absolute()), described.files[path.name]
    )
    return Trained(runtime, described.classes, described.parameters, elsewhere)


def file(folder: Path, images: int) -> Path:
    """Return the form of a model to run for so many images. Raises DataError if it is not there."""
    path = folder / (KERAS_FILE if inference.pays_on_gpu(images) else LITERT_FILE)
    if not path.is_file():
        message = f"{path}: not found; run the stage that writes it"
        raise DataError(message)
    return path


def load(
    path: Path, image_shape: Sequence[int], outputs: int, remedy: str, threads: int | None = None
) -> inference.Runtime:
    """Load what `file` returned, and try it.

    Args:
        path: What `file` returned.
        image_shape: (H, W, C) of what it is to take.
        outputs: Numbers that it is to give for an image.
        remedy: For a file that is none.
        threads: Of LiteRT. None: one for each core.

    Raises:
        DataError: It is not such a model.
    """
    try:
        if path.name == KERAS_FILE:
            runtime = _on_gpu(path)
        else:
            runtime = inference.Runtime.litert(path.read_bytes(), threads)
        calls.check(runtime.call, image_shape, outputs)
    except ValueError as error:
        message = f"{path}: {error}; {remedy}"
        raise DataError(message) from error
    return runtime


def _on_gpu(path: Path) -> inference.Runtime:
    from imago.runtimes import determinism, saving

    determinism.enable()
    return inference.Runtime.gpu(saving.read_model(path))


def _load(path: Path) -> tuple[Call, int]:
    return litert.load(path.read_bytes(), threads=1), calls.IMAGES_PER_THREAD
