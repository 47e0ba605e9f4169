"""Augmented copies of training images, each after the image that it was made from."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from imago import arrays, augment

IMAGES_SHOWN, CLASSES_SHOWN = 8, 10


def interleaved(
    blocks: Iterable[NDArray[np.uint8]], draws: NDArray[np.float32]
) -> Iterator[NDArray[np.uint8]]:
    """Augment images on all cores, holding one block in memory.

    Args:
        blocks: (n, H, W, C) uint8, N images in all.
        draws: (N, V, D) float32, a row of `augment.draw` for each of V copies of each image.

    Yields:
        Blocks, (n * (1 + V), H, W, C) uint8: an image, its copies, the next image, ...
    """
    _, views, width = draws.shape
    threads, done = os.cpu_count() or 1, 0
    with ThreadPoolExecutor(threads) as pool:
        for block in blocks:
            rows = draws[done : done + len(block)].reshape(-1, width)
            copies = np.array_split(np.repeat(block, views, axis=0), threads)
            made = pool.map(augment.apply, copies, np.array_split(rows, threads))
            stacked = np.concatenate(list(made)).reshape(len(block), views, *block.shape[1:])
            both = np.concatenate([block[:, np.newaxis], stacked], axis=1)
            yield both.reshape(-1, *block.shape[1:])
            done += len(block)


def sample(
    train: arrays.Split, views: int, class_count: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int32]]:
    """Take some images of a training split with interleaved copies, the same number of each class.

    These are about IMAGES_SHOWN; of more classes than CLASSES_SHOWN, the first ones.

    Returns:
        The first images of each class, (n, H, W, C) uint8; their copies, (V, n, H, W, C) uint8;
        and their labels, (n,) int32.
    """
    labels = train.labels[:: 1 + views]
    classes = range(min(class_count, CLASSES_SHOWN))
    per_class = max(1, IMAGES_SHOWN // len(classes))
    rows = np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in classes])
    first = rows * (1 + views)
    copies = np.stack([train.images[first + 1 + view] for view in range(views)]) if views else None
    originals = train.images[first]
    return originals, originals[np.newaxis][:0] if copies is None else copies, labels[rows]
