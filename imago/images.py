"""Images of one size and colour, and the statistics of their pixels."""

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from imago import arrays
from imago.arrays import ImageShape, Statistics


def shape(image_size_px: int, color: Literal["grayscale", "rgb"]) -> ImageShape:
    """Give the (H, W, C) of square images."""
    return image_size_px, image_size_px, 1 if color == "grayscale" else 3


def converted(
    images: NDArray[np.uint8], rows: NDArray[np.intp] | None, image_shape: ImageShape
) -> Iterator[NDArray[np.uint8]]:
    """Convert images on all cores, holding one block of them in memory.

    Args:
        images: (N, H, W, C) uint8, 0-255, C is 1 or 3.
        rows: Positions of the images wanted, in this order; None for all.
        image_shape: (H, W, C) to convert to; see `convert`.

    Yields:
        Blocks, (n, *image_shape) uint8, 0-255.
    """
    if images.shape[1:] == image_shape:
        yield from arrays.blocks(images, rows)
        return
    larger = max(math.prod(images.shape[1:]), math.prod(image_shape))
    images_per_block = max(1, arrays.BLOCK_BYTES // larger)
    threads = os.cpu_count() or 1  # OpenCV lets go of the interpreter while it works
    with ThreadPoolExecutor(threads) as pool:
        for block in arrays.blocks(images, rows, images_per_block):
            parts = np.array_split(block, min(threads, len(block)))
            done = pool.map(convert, parts, [image_shape] * len(parts))
            yield np.concatenate(list(done))


def convert(images: NDArray[np.uint8], image_shape: ImageShape) -> NDArray[np.uint8]:
    """Convert images to one shape, whatever their proportions.

    A side that shrinks is averaged over areas (OpenCV's INTER_AREA), which keeps fine patterns
    from turning into false coarse ones; a side that grows is interpolated (INTER_LINEAR). Images
    that are not of the proportions of `image_shape` are stretched, not cropped or padded. RGB
    becomes grayscale as ITU-R BT.601 luma, 0.299 R + 0.587 G + 0.114 B; grayscale becomes RGB by
    repeating the channel. Images of the right shape are returned as they are, not copied.

    Args:
        images: (N, H, W, C) uint8, 0-255, C is 1 or 3.
        image_shape: (H, W, C) to convert to, C is 1 or 3.

    Returns:
        (N, *image_shape) uint8, 0-255.

    Source: https://docs.opencv.org/4.x/de/d25/imgproc_color_conversions.html (luma) and
    https://docs.opencv.org/4.x/da/d54/group__imgproc__transform.html (interpolation).
    """
    height, width, channels = image_shape
    if channels < images.shape[-1]:  # before resizing: a third of the work
        images = _grayscale(images)
    if (height, width) != images.shape[1:3]:
        images = _resized(images, height, width)
    if channels > images.shape[-1]:
        images = np.repeat(images, channels, axis=-1)
    return images


def statistics(images: NDArray[np.uint8], images_per_block: int | None = None) -> Statistics:
    """Compute the mean and variance of each channel over all pixels of all images.

    Sums are whole numbers, so the result does not depend on the order or the size of blocks.

    Args:
        images: (N, H, W, C) uint8, 0-255.
        images_per_block: None for as many as fit a block; see `arrays.blocks`.
    """
    sums, squares = np.zeros((2, images.shape[-1]), np.uint64)
    for block in arrays.blocks(images, None, images_per_block):
        sums += _sum(block)
        squares += _sum(np.square(block, dtype=np.uint16))
    pixels = images[..., 0].size
    # Python's integers have no largest value, and its division of two of them rounds once.
    totals = list(zip(sums.tolist(), squares.tolist(), strict=True))
    return Statistics(
        mean=[total / pixels for total, _ in totals],
        variance=[(pixels * square - total**2) / pixels**2 for total, square in totals],
    )


def _sum(images: NDArray[np.unsignedinteger]) -> NDArray[np.uint64]:
    # Over images first: ten times faster for RGB than over all three axes in one call.
    total: NDArray[np.uint64] = images.sum(axis=0, dtype=np.uint64).sum(axis=(0, 1))
    return total


def _grayscale(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, height, width, channels = images.shape
    column = images.reshape(count * height, width, channels)  # one call for all images
    gray = cv2.cvtColor(column, cv2.COLOR_RGB2GRAY)
    return np.asarray(gray, np.uint8).reshape(count, height, width, 1)


def _resized(images: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    count, from_height, from_width, channels = images.shape
    smaller = (min(width, from_width), min(height, from_height))
    resized = np.empty((count, height, width, channels), np.uint8)
    for index, image in enumerate(images):
        # OpenCV only copies where a step has nothing to change.
        shrunk = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
        grown = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
        resized[index] = grown.reshape(height, width, channels)
    return resized
