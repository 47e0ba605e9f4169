"""A frozen backbone's folder, and the net in it without TensorFlow.

    <folder>/model.keras     the net, as Keras saves it
    <folder>/model.tflite    the same, as LiteRT runs it
    <folder>/model.json      the pixels that it takes and the number of its features

Both take pixels, (N, H, W, 3) uint8, 0-255, and give features, (N, F) float32, equal to 1e-4 of the
greatest, which was found when they were written.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imago.core.errors import DataError
from imago.runtimes import calls, inference, model_json, trained

COPY = "backbone.keras"
"""In a folder of features the net that made them, as Keras saves it."""


@dataclass(frozen=True)
class Backbone:
    """A frozen backbone, ready to run.

    Attributes:
        runtime: The fastest here.
        features: F, of an image.
        elsewhere: `runtime` for a cluster.
    """

    runtime: inference.Runtime
    features: int
    elsewhere: calls.Elsewhere


def read(
    folder: Path, image_shape: Sequence[int], images: int = 0, threads: int | None = None
) -> Backbone:
    """Load what `imago.runtimes.saving.write_backbone` wrote.

    Args:
        folder: Of the backbone.
        image_shape: (H, W, C) of what it is to take.
        images: How many; a GPU, if there is one, is used for many.
        threads: Of LiteRT. None: one for each core.

    Raises:
        DataError: There is none, or none for images of this shape, (H, W, C).
    """
    described = model_json.read_backbone(folder)
    if tuple(image_shape) != described.image_shape:
        wanted, got = ("×".join(map(str, shape)) for shape in (described.image_shape, image_shape))
        message = (
            f"{folder}: its net takes images of {wanted}, got a variant of {got}; run the stages "
            "that write the two again"
        )
        raise DataError(message)
    path = trained.file(folder, images)
    described.verify(path)
    remedy = "run the stage backbone again"
    runtime = trained.load(path, image_shape, described.features, remedy, threads)
    load = functools.partial(_load, folder.absolute(), tuple(image_shape))
    elsewhere = calls.Elsewhere(load, described.files[path.name])
    return Backbone(runtime, described.features, elsewhere)


def _load(folder: Path, image_shape: tuple[int, ...]) -> tuple[calls.Call, int]:
    runtime = read(folder, image_shape, threads=1).runtime
    return runtime.call, runtime.images_per_call
