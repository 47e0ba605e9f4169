"""What every runtime makes of a model: a function of images, called for some of them at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imago.core import workers

if TYPE_CHECKING:
    from imago.data.rows import Rows

Call = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From (n, H, W, C) uint8, n of any number, to (n, K) float32; of a model with a second output, the
distance of each image to the training images, to (n, K + 1): see `side_by_side`."""

IMAGES_PER_TASK = 128
"""On a cluster: enough that handing them over costs little."""
IMAGES_PER_THREAD = 4
"""In one call: more of them leave the processor's cache, fewer leave threads waiting."""
_BATCH_SIZES = {1_024: 1_000, 16_384: 500, 65_536: 100}
"""Bytes of an image, at most: images in a call."""
_BATCH_SIZE_OF_LARGE_IMAGES = 20
GRAY = 128
"""What every pixel is of the image that a model is tried with."""


@dataclass(frozen=True)
class Elsewhere:
    """A model that processes of a cluster load for themselves.

    Attributes:
        load: Gives it, to run on one thread, and how many images a call takes; can be pickled, with
            absolute paths.
        sha256: Of what it is loaded from.
    """

    load: Callable[[], tuple[Call, int]]
    sha256: str


def _outputs(task: tuple[Elsewhere, Rows]) -> NDArray[np.float32]:
    model, rows = task
    call, images_per_call = workers.loaded(model.load, model.sha256)
    return np.concatenate(list(in_batches(call, rows.stacked(), images_per_call)))


def outputs_of(elsewhere: Elsewhere, rows: Rows) -> Iterator[NDArray[np.float32]]:
    """Yield a model's outputs for images, some at a time, on the worker that this runs on."""
    yield from map(_outputs, _tasks(elsewhere, rows.images, rows.positions))


def _tasks(
    elsewhere: Elsewhere,
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    positions: NDArray[np.intp],
) -> Iterator[tuple[Elsewhere, Rows]]:
    from imago.data.rows import Rows  # here: a prediction need not wait for it

    for start in range(0, len(positions), IMAGES_PER_TASK):
        yield elsewhere, Rows(images, positions[start : start + IMAGES_PER_TASK])


def batch_size(images: NDArray[np.uint8]) -> int:
    """Return how many images, of (N, H, W, C), a call takes where all are to be scored.

    As many as keep what layers make of them in memory. It depends on nothing but the images' size:
    TensorFlow's sums differ in their last bits from one number to another, and with them what is
    said of how a format compares with Keras. LiteRT's and ONNX Runtime's answers do not.
    """
    image_bytes = math.prod(images.shape[1:])
    fitting = (size for limit, size in _BATCH_SIZES.items() if image_bytes <= limit)
    return next(fitting, _BATCH_SIZE_OF_LARGE_IMAGES)


def side_by_side(outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Lay the outputs of a model, (n, K) and if there is one (n,), into one array."""
    if len(outputs) == 1:
        return np.asarray(outputs[0])
    return np.column_stack(outputs)


class Outputs(NamedTuple):
    """What a model says of n images.

    Attributes:
        probabilities: (n, K) float32.
        distance: (n,) float32, to the training images; None of a model that does not give it.
    """

    probabilities: NDArray[np.float32]
    distance: NDArray[np.float32] | None


def apart(outputs: NDArray[np.float32], classes: int) -> Outputs:
    """Return what `side_by_side` laid into one array."""
    far = outputs[:, classes] if outputs.shape[1] > classes else None
    return Outputs(outputs[:, :classes], far)


def probabilities(
    call: Call,
    images: NDArray[np.uint8],
    elsewhere: Elsewhere | None = None,
) -> NDArray[np.float32]:
    """Return a model's outputs, (N, K), of all images, (N, H, W, C); see `in_batches`."""
    return np.concatenate(list(in_batches(call, images, batch_size(images), elsewhere=elsewhere)))


def check(
    call: Call, image_shape: Sequence[int], classes: int, *, with_distance: bool = False
) -> None:
    """Call a model with one grey image, and find whether it is of the kind that is needed.

    Args:
        call: The model.
        image_shape: (H, W, C) that it must take.
        classes: K numbers that it must give.
        with_distance: Whether it must give one more, a distance.

    Raises:
        ValueError: It takes or gives something else, or cannot run.
    """
    rule = f"must take images of {'×'.join(map(str, image_shape))} and give {classes} probabilities"
    rule += " and a distance" * with_distance
    try:
        found = call(np.full((1, *image_shape), GRAY, np.uint8))
    except Exception as error:  # broad, for every runtime has kinds of its own
        message = f"{rule}: {first_line(error)}"
        raise ValueError(message) from error
    if found.shape != (1, classes + with_distance) or found.dtype != np.float32:
        message = f"{rule}, got {found.dtype} of {'×'.join(map(str, found.shape)) or 'no shape'}"
        raise ValueError(message)
    if not np.isfinite(found).all():
        message = f"{rule}, got numbers that are not finite"
        raise ValueError(message)


def first_line(error: BaseException) -> str:
    """Return what an error says in a line, for some runtimes say a page."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)


def in_batches(
    call: Call,
    images: NDArray[np.uint8],
    batch_size: int,
    advance: Callable[[int], object] = lambda _: None,
    elsewhere: Elsewhere | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Call a function for a batch of images at a time.

    Args:
        call: The function.
        images: (N, H, W, C) uint8; may be memory-mapped; those of one call are held in memory.
        batch_size: Images in one call; the last may have fewer.
        advance: Told the number of images after each call.
        elsewhere: The same function on a cluster, if one is chosen; None where it stays here.

    Yields:
        (n, K) float32.
    """
    if elsewhere and workers.are_elsewhere():
        tasks = _tasks(elsewhere, images, np.arange(len(images)))
        for outputs in workers.mapped(_outputs, tasks):
            yield outputs
            advance(len(outputs))
        return
    for start in range(0, len(images), batch_size):
        batch = np.ascontiguousarray(images[start : start + batch_size])
        yield call(batch)
        advance(len(batch))
