"""Images of one size and colour, and the statistics of their pixels."""

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from imago import arrays, schema
from imago.arrays import ImageShape, Statistics

Image = NDArray[np.uint8]
"""(H, W, C), 0-255; C is 1, grayscale, or 3, RGB."""

_SHRINKING = {
    "area": cv2.INTER_AREA,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
    "linear": cv2.INTER_LINEAR,
    "nearest": cv2.INTER_NEAREST_EXACT,
}
_GROWING = _SHRINKING | {"area": cv2.INTER_LINEAR}  # there are no areas to average over


@dataclass(frozen=True)
class Form:
    """What every image is brought to.

    Attributes:
        shape: (H, W, C).
        fit: stretch changes the proportions; crop keeps the middle; pad adds black borders.
        interpolation: Between pixels. area averages over areas where an image shrinks, which
            keeps fine patterns from turning into false coarse ones, and is linear where it grows.
    """

    shape: ImageShape
    fit: Literal["stretch", "crop", "pad"]
    interpolation: Literal["area", "cubic", "lanczos", "linear", "nearest"]


def form(variant: schema.Prepare) -> Form:
    """Give the form of a variant's images, which are square."""
    channels = 1 if variant.color == "grayscale" else 3
    shape = (variant.image_size_px, variant.image_size_px, channels)
    return Form(shape, variant.fit, variant.interpolation)


def converted(
    images: Sequence[Image] | NDArray[np.uint8], rows: NDArray[np.intp], form: Form
) -> Iterator[NDArray[np.uint8]]:
    """Convert images on all cores, holding two blocks of the results in memory and no more.

    Args:
        images: Photos, each decoded when it is asked for, or an array, (N, H, W, C) uint8, 0-255.
        rows: Positions of the images wanted, in this order.
        form: What to convert to; see `convert`.

    Yields:
        Blocks, (n, *form.shape) uint8, 0-255.
    """
    if isinstance(images, np.ndarray) and images.shape[1:] == form.shape:
        yield from arrays.blocks(images, rows)
        return

    threads = os.cpu_count() or 1  # OpenCV lets go of the interpreter while it works
    with ThreadPoolExecutor(threads) as pool:

        def begin(block: NDArray[np.intp]) -> Iterator[list[Image]]:
            return pool.map(convert_all, np.array_split(block, min(threads, len(block))))

        def convert_all(part: NDArray[np.intp]) -> list[Image]:
            return [convert(np.asarray(images[row]), form) for row in part.tolist()]

        def finish(parts: Iterator[list[Image]]) -> NDArray[np.uint8]:
            return np.stack(list(itertools.chain.from_iterable(parts)))

        begun: Iterator[list[Image]] | None = None
        for block in arrays.row_blocks(rows, form.shape):
            ahead = begin(block)  # while the one before is used
            if begun:
                yield finish(begun)
            begun = ahead
        if begun:
            yield finish(begun)


def convert(image: Image, form: Form) -> Image:
    """Convert an image to a form.

    RGB becomes grayscale as ITU-R BT.601 luma, 0.299 R + 0.587 G + 0.114 B; grayscale becomes RGB
    by repeating the channel. An image of the right shape is returned as it is, not copied.

    Source: https://docs.opencv.org/4.x/de/d25/imgproc_color_conversions.html (luma) and
    https://docs.opencv.org/4.x/da/d54/group__imgproc__transform.html (interpolation).
    """
    if image.shape == form.shape:
        return image
    height, width, channels = form.shape
    if channels < image.shape[-1]:  # before resizing: a third of the work
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)[..., np.newaxis]
    if form.fit == "crop":
        image = _cropped(image, height, width)
    inner = _inside(image, height, width) if form.fit == "pad" else (height, width)
    image = _resized(image, *inner, form.interpolation)
    if channels > image.shape[-1]:
        image = np.repeat(image, channels, axis=-1)
    return _padded(image, height, width)


@dataclass
class Totals:
    """Adds up the pixels of images on their way, for the mean and variance of each channel.

    Sums are whole numbers, so the result does not depend on the order or the size of blocks.
    """

    channels: int

    def __post_init__(self) -> None:
        self._pixels = 0
        self._sums, self._squares = np.zeros((2, self.channels), np.uint64)

    def over(self, blocks: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Yield blocks, (n, H, W, C), as they come, and add each to the totals."""
        for block in blocks:
            self._pixels += block[..., 0].size
            self._sums += _sum(block)
            self._squares += _sum(np.square(block, dtype=np.uint16))
            yield block

    def statistics(self) -> Statistics:
        """Compute the mean and variance of what was added."""
        pixels = self._pixels
        # Python's integers have no largest value, and its division of two of them rounds once.
        totals = list(zip(self._sums.tolist(), self._squares.tolist(), strict=True))
        return Statistics(
            mean=[total / pixels for total, _ in totals],
            variance=[(pixels * square - total**2) / pixels**2 for total, square in totals],
        )


def _sum(images: NDArray[np.unsignedinteger]) -> NDArray[np.uint64]:
    # Over images first: ten times faster for RGB than over all three axes in one call.
    total: NDArray[np.uint64] = images.sum(axis=0, dtype=np.uint64).sum(axis=(0, 1))
    return total


def _cropped(image: Image, height: int, width: int) -> Image:
    """Cut off, the same on both sides, what is beyond the proportions of height and width."""
    from_height, from_width = image.shape[:2]
    kept_height = min(from_height, max(1, round(from_width * height / width)))
    kept_width = min(from_width, max(1, round(from_height * width / height)))
    top, left = (from_height - kept_height) // 2, (from_width - kept_width) // 2
    return image[top : top + kept_height, left : left + kept_width]


def _inside(image: Image, height: int, width: int) -> tuple[int, int]:
    """Give the greatest height and width of the image's proportions that fit."""
    scale = min(height / image.shape[0], width / image.shape[1])
    return max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))


def _resized(image: Image, height: int, width: int, interpolation: str) -> Image:
    from_height, from_width, channels = image.shape
    # A side may shrink while the other grows. OpenCV only copies where there is nothing to do.
    smaller = (min(width, from_width), min(height, from_height))
    shrunk = cv2.resize(image, smaller, interpolation=_SHRINKING[interpolation])
    grown = cv2.resize(shrunk, (width, height), interpolation=_GROWING[interpolation])
    return np.asarray(grown, np.uint8).reshape(height, width, channels)


def _padded(image: Image, height: int, width: int) -> Image:
    """Add black borders, the same on both sides."""
    if image.shape[:2] == (height, width):
        return image
    top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    padded = np.zeros((height, width, image.shape[2]), np.uint8)
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    return padded
