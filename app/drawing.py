"""Digits drawn on the page, brought to the form that models of MNIST were trained on."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 280
DIGIT_PX = 200
"""The longer side of a digit: 20 of 28 pixels, and the centre of its mass is that of the image.
Source: LeCun, Cortes, Burges, The MNIST database of handwritten digits, 1998."""
PEN_PX = 24
GREATEST_POINTS = 20_000
_SHIFT = 4  # bits of a pixel's fraction that OpenCV takes

Stroke = Sequence[tuple[float, float]]
"""Points (x, y), 0 to 1, from the left and the top of the paper."""


def strokes(value: Any) -> list[Stroke]:
    """Take what the browser sent as strokes; what is not of this form is left out."""
    if not isinstance(value, list):
        return []
    found: list[Stroke] = [
        [(float(x), float(y)) for x, y in filter(_is_point, stroke)]
        for stroke in value
        if isinstance(stroke, list)
    ]
    kept = [stroke for stroke in found if stroke]
    return kept if sum(map(len, kept)) <= GREATEST_POINTS else []


def render(strokes: Sequence[Stroke]) -> NDArray[np.uint8]:
    """Draw strokes as MNIST has digits: light on black, of one size, centred, with one pen.

    However small a digit was drawn, and wherever on the paper, it comes out the same.

    Args:
        strokes: One or more.

    Returns:
        (SIDE_PX, SIDE_PX, 1) uint8, 0-255.
    """
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    least, extent = points.min(axis=0), np.ptp(points, axis=0).max()
    scale = (DIGIT_PX - PEN_PX) / extent if extent > 0 else 0.0
    middle = least + np.ptp(points, axis=0) / 2
    image = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    for stroke in strokes:
        whole = np.array([*stroke, stroke[-1]])  # a line, even of a dot
        at_px = (whole - middle) * scale + SIDE_PX / 2
        fixed = np.rint(at_px * 2**_SHIFT).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(image, [fixed], False, 255, PEN_PX, cv2.LINE_AA, _SHIFT)
    moments = cv2.moments(image)
    shift = np.array([moments["m10"], moments["m01"]]) / moments["m00"] - (SIDE_PX - 1) / 2
    moved = cv2.warpAffine(
        image, np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]]), (SIDE_PX, SIDE_PX)
    )
    return np.asarray(moved, np.uint8)[..., np.newaxis]


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, int | float) and 0 <= part <= 1 for part in value)
    )
