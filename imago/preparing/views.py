"""Augmented copies of training images, each after the image that it was made from."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from imago.data import arrays
from imago.images import augment

Draw = Callable[[int], NDArray[np.float32]]
"""Gives the next rows of `augment.draw`, as many as it is asked for."""


def interleaved(
    blocks: Iterable[NDArray[np.uint8]], views: int, draw: Draw
) -> Iterator[NDArray[np.uint8]]:
    """Augment images on all cores, holding few in memory.

    Args:
        blocks: (n, H, W, C) uint8.
        views: V, the number of copies of each image.
        draw: Says how each copy differs, in the order in which they are yielded.

    Yields:
        Blocks, (m * (1 + V), H, W, C) uint8: an image, its copies, the next image, ...
    """
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        for block in blocks:
            for part in _parts(block, 1 + views):
                copies = np.array_split(np.repeat(part, views, axis=0), threads)
                rows = np.array_split(draw(len(part) * views), threads)
                made = np.concatenate(list(pool.map(augment.apply, copies, rows)))
                stacked = made.reshape(len(part), views, *part.shape[1:])
                both = np.concatenate([part[:, np.newaxis], stacked], axis=1)
                yield both.reshape(-1, *part.shape[1:])


def _parts(block: NDArray[np.uint8], times: int) -> Iterator[NDArray[np.uint8]]:
    """Divide a block so that `times` as much is again as much as a block should hold."""
    step = max(1, arrays.BLOCK_BYTES // (block[0].nbytes * times))
    yield from (block[start : start + step] for start in range(0, len(block), step))
