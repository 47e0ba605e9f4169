"""The one size and colour that every image of a variant is brought to.

Apart from imago.preparing.conversion, since a prediction needs this and nothing else of it, and
starts sooner.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

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

    shape: tuple[int, int, int]
    fit: Literal["stretch", "crop", "pad"]
    interpolation: Literal["area", "cubic", "lanczos", "linear", "nearest"]

    def shrinking(self, height: int, width: int) -> float:
        """Return how many times smaller, at least, each side of what is kept of an image becomes.

        No more than 1 where each pixel is wanted as it is, for nearest.
        """
        if self.interpolation == "nearest":
            return 1.0
        kept, inner = (height, width), self.shape[:2]
        if self.fit == "crop":
            kept = _kept(height, width, *inner)
        elif self.fit == "pad":
            inner = _inside(height, width, *inner)
        return min(kept[0] / inner[0], kept[1] / inner[1])


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
    inner = (
        _inside(image.shape[0], image.shape[1], height, width)
        if form.fit == "pad"
        else (height, width)
    )
    image = _resized(image, *inner, form.interpolation)
    if channels > image.shape[-1]:
        image = np.repeat(image, channels, axis=-1)
    return _padded(image, height, width)


def _cropped(image: Image, height: int, width: int) -> Image:
    """Cut off, the same on both sides, what is beyond the proportions of height and width."""
    from_height, from_width = image.shape[:2]
    kept_height, kept_width = _kept(from_height, from_width, height, width)
    top, left = (from_height - kept_height) // 2, (from_width - kept_width) // 2
    return image[top : top + kept_height, left : left + kept_width]


def _kept(from_height: int, from_width: int, height: int, width: int) -> tuple[int, int]:
    """Return the greatest height and width of the form's proportions that the image has."""
    kept_height = min(from_height, max(1, round(from_width * height / width)))
    kept_width = min(from_width, max(1, round(from_height * width / height)))
    return kept_height, kept_width


def _inside(from_height: int, from_width: int, height: int, width: int) -> tuple[int, int]:
    """Return the greatest height and width of the image's proportions that fit."""
    scale = min(height / from_height, width / from_width)
    return max(1, round(from_height * scale)), max(1, round(from_width * scale))


def _resized(image: Image, height: int, width: int, interpolation: str) -> Image:
    from_height, from_width, channels = image.shape
    # A side may shrink while the other grows. OpenCV only copies where there is nothing to do.
    smaller = (min(width, from_width), min(height, from_height))
    if interpolation == "area" and _is_quicker_by_twice(image, *smaller):
        twice = (2 * smaller[0], 2 * smaller[1])
        image = np.asarray(cv2.resize(image, twice, interpolation=cv2.INTER_LINEAR), np.uint8)
    shrunk = cv2.resize(image, smaller, interpolation=_SHRINKING[interpolation])
    grown = cv2.resize(shrunk, (width, height), interpolation=_GROWING[interpolation])
    return np.asarray(grown, np.uint8).reshape(height, width, channels)


def _is_quicker_by_twice(image: Image, width: int, height: int) -> bool:
    """Tell whether areas are averaged from an image of twice the size that is wanted.

    OpenCV takes longer for areas in colour than a photo's decoding, but for those of whole pixels.
    Where an image becomes two to four times smaller, four points between its pixels stand for an
    area nearly as well: photos differ by 0.6 levels of 255 in the mean.
    """
    from_height, from_width, channels = image.shape
    is_whole = from_height % height == from_width % width == 0
    ratios = from_height / height, from_width / width
    return channels == 3 and not is_whole and all(2 <= ratio <= 4 for ratio in ratios)


def _padded(image: Image, height: int, width: int) -> Image:
    """Add black borders, the same on both sides."""
    if image.shape[:2] == (height, width):
        return image
    top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    padded = np.zeros((height, width, image.shape[2]), np.uint8)
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    return padded
