"""Augmented copies of training images, each after the image that it was made from."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from imago.core import workers
from imago.data import arrays
from imago.images import augment

Draw = Callable[[int], NDArray[np.float32]]
"""Gives the next rows of `augment.draw`, as many as it is asked for."""
_Task = tuple[NDArray[np.uint8], NDArray[np.float32]]


def interleaved(
    blocks: Iterable[NDArray[np.uint8]], views: int, draw: Draw
) -> Iterator[NDArray[np.uint8]]:
    """Augment images on all cores or on a cluster, holding few in memory.

    Args:
        blocks: (n, H, W, C) uint8.
        views: V, the number of copies of each image.
        draw: Says how each copy differs, in the order in which they are yielded.

    Yields:
        Blocks, (m * (1 + V), H, W, C) uint8: an image, its copies, the next image, ...
    """
    parts = (part for block in blocks for part in _parts(block, 1 + views))
    yield from workers.mapped(_with_copies, _tasks(parts, views, draw))


def _tasks(parts: Iterable[NDArray[np.uint8]], views: int, draw: Draw) -> Iterator[_Task]:
    pieces = workers.pieces()
    for part in parts:
        rows = draw(len(part) * views).reshape(len(part), views, -1)
        count = min(pieces, len(part))
        yield from zip(np.array_split(part, count), np.array_split(rows, count), strict=True)


def _with_copies(task: _Task) -> NDArray[np.uint8]:
    """Return images, (m, H, W, C), each followed by its copies, for which there are m rows."""
    images, rows = task
    views = rows.shape[1]
    made = augment.apply(np.repeat(images, views, axis=0), rows.reshape(len(images) * views, -1))
    stacked = made.reshape(len(images), views, *images.shape[1:])
    both = np.concatenate([images[:, np.newaxis], stacked], axis=1)
    return both.reshape(-1, *images.shape[1:])


def _parts(block: NDArray[np.uint8], times: int) -> Iterator[NDArray[np.uint8]]:
    """Divide a block so that `times` as much is again as much as a block should hold."""
    step = max(1, arrays.BLOCK_BYTES // (block[0].nbytes * times))
    yield from (block[start : start + step] for start in range(0, len(block), step))
