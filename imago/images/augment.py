"""Random changes of training images, for views on disk and for training alike.

What happens to an image is drawn apart from its being done: `draw` gives a row of numbers for
each image, and `apply` does what a row says and draws nothing itself. So the draws of a whole epoch
can be made at once, and the images in any order and on any number of threads.

The columns of a row, in the order in which they work on an image:

    crop_x      centre of the part that is kept, to the right of the image's, a share of the width
    crop_y      the same downwards, a share of the height
    crop_width  of that part, which is brought to the size of the whole, a share of the width
    crop_height the same of the height
    flip        -1: left and right change places, 1: they stay
    rotation    degrees about the image's centre, counterclockwise
    zoom        factor, the same along both sides; the image's centre stays in place
    shift_x     to the right, a share of the width
    shift_y     downwards, a share of the height
    contrast    factor on each pixel's distance from the mean of the image's pixels
    brightness  levels of 0-255 that are added
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from imago.core import sections

CROP = ("crop_x", "crop_y", "crop_width", "crop_height")
OTHERS = ("flip", "rotation", "zoom", "shift_x", "shift_y", "contrast", "brightness")
COLUMNS = (*CROP, *OTHERS)
UNCHANGED = np.array([0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0], np.float32)
"""The row that leaves an image as it is."""
GEOMETRY, COLOR = slice(0, 9), slice(9, 11)
"""The columns that move pixels, and those that change their values."""


def draw(
    settings: sections.Augment, count: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Draw a row of COLUMNS for each of `count` images.

    Each number is uniform in the range that `settings` gives it, apart from the others. What is off
    is drawn too and then left out, so that switching it on leaves the other columns as they are,
    random_resized_crop aside; and two draws of n rows are the first and the second half of one of
    2n.

    Returns:
        (count, 11) float32.
    """
    ranges = [
        0,  # the flip has two values
        settings.rotation_degrees or 0,
        settings.zoom or 0,
        settings.shift or 0,
        settings.shift or 0,
        settings.contrast or 0,
        255 * (settings.brightness or 0),
    ]
    crop = settings.random_resized_crop
    # A crop's numbers are drawn where there is one alone: what has none keeps the draws it had.
    drawn = generator.uniform(-1, 1, (count, len(COLUMNS) if crop else len(OTHERS)))
    uniform = drawn[:, : len(OTHERS)]
    draws = np.tile(UNCHANGED.astype(np.float64), (count, 1))
    draws[:, len(CROP) :] += uniform * ranges
    if settings.horizontal_flip:
        draws[:, len(CROP)] = np.where(uniform[:, 0] < 0, -1, 1)
    if crop:
        draws[:, : len(CROP)] = _crops(crop, drawn[:, len(OTHERS) :])
    return draws.astype(np.float32)


def skip(settings: sections.Augment, count: int, generator: np.random.Generator) -> None:
    """Bring a generator of NumPy's default kind to where `draw` would, without the numbers."""
    each = len(COLUMNS) if settings.random_resized_crop else len(OTHERS)
    generator.bit_generator.advance(count * each)  # type: ignore[attr-defined]  # one for a number


def _crops(
    settings: sections.RandomResizedCrop, uniform: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn numbers of -1 to 1, (N, 4), into the columns CROP, (N, 4).

    The share of the area is uniform, the logarithm of the stretch too; a side that would be longer
    than the image's is as long. The place is uniform among those within the image.
    """
    area = 1 - (1 - settings.least_area) * (uniform[:, 2] + 1) / 2
    stretch = settings.greatest_stretch ** uniform[:, 3]
    sides = np.minimum(np.sqrt(area[:, np.newaxis] * np.stack([stretch, 1 / stretch], axis=1)), 1)
    return np.concatenate([uniform[:, :2] * (1 - sides) / 2, sides], axis=1)


def apply(images: NDArray[np.uint8], draws: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Change each image as its row of `draws` says; the images given stay as they are.

    Crop, flip, rotation, zoom and shift are one bilinear interpolation, so that an image is blurred
    once; flips, quarter turns of squares and shifts by whole pixels are exact. What comes in from
    outside is the image itself, mirrored at its outermost pixels (OpenCV's BORDER_REFLECT_101).
    Then contrast and brightness are one linear map, rounded and held in 0-255.

    Args:
        images: (N, H, W, C) uint8, 0-255, C is 1 or 3.
        draws: (N, 11) float32, as `draw` gives them.

    Returns:
        (N, H, W, C) uint8, 0-255.

    Raises:
        ValueError: There is not one row for each image.
    """
    if draws.shape != (len(images), len(COLUMNS)):
        message = (
            f"augment.apply: draws must be a row of {len(COLUMNS)} for each image, "
            f"{(len(images), len(COLUMNS))}, got {draws.shape}; draw as many as there are images"
        )
        raise ValueError(message)
    changed = np.array(images)
    changes = draws != UNCHANGED
    _, height, width, _ = images.shape
    matrices = _matrices(draws, height, width)
    for index in np.flatnonzero(changes[:, GEOMETRY].any(axis=1)):
        cv2.warpAffine(
            images[index],
            matrices[index],
            (width, height),
            dst=changed[index],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    for index in np.flatnonzero(changes[:, COLOR].any(axis=1)):
        contrast, brightness = draws[index, COLOR].tolist()
        _recolor(changed[index], contrast, brightness)
    return changed


def _matrices(draws: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
    """Return the 2×3 matrices, (N, 2, 3), from a pixel's place in the result to that in the image.

    Places are those of pixels' centres, the first at 0, so an image's centre is (side - 1) / 2.
    """
    *crop, flip, degrees, zoom, shift_x, shift_y = draws[:, GEOMETRY].T.astype(np.float64)
    radians = np.deg2rad(degrees)
    cosine, sine = np.cos(radians) / zoom, np.sin(radians) / zoom
    linear = np.stack([flip * cosine, -flip * sine, sine, cosine], axis=-1).reshape(-1, 2, 2)
    middle = np.array([width - 1, height - 1]) / 2
    shifted = middle + np.stack([shift_x * width, shift_y * height], axis=-1)
    offset = middle - (linear @ shifted[..., np.newaxis])[..., 0]
    center, sides = np.stack(crop[:2], axis=-1), np.stack(crop[2:], axis=-1)
    linear = sides[..., np.newaxis] * linear
    offset = sides * offset + (1 - sides) * middle + center * [width, height]
    return np.concatenate([linear, offset[..., np.newaxis]], axis=-1)


def _recolor(image: NDArray[np.uint8], contrast: float, brightness: float) -> None:
    """Change the contrast about the image's mean and add `brightness`, in place."""
    channels = image.shape[-1]
    mean = sum(cv2.mean(image)[:channels]) / channels
    # A weighted sum of one image is the linear map that OpenCV rounds and holds in 0-255.
    cv2.addWeighted(image, contrast, image, 0, mean * (1 - contrast) + brightness, dst=image)
