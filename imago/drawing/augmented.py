"""Some training images above their augmented views."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago.data import arrays
from imago.drawing import sheets
from imago.drawing.canvas import SMALL_POINTS

IMAGES_SHOWN, CLASSES_SHOWN = 8, 10
CELL_PX, ALL_CELLS_PX = 128, 400_000
"""At most the side of an image in the preview, and the area of all: 250 kB for photos."""
GAP_PX, LEFT_PX, TOP_PX = 4, 22, 36
"""Between images; for the row labels; for the class names, two lines."""


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


def preview(
    originals: NDArray[np.uint8],
    views: NDArray[np.uint8],
    names: Sequence[str],
    all_cells_px: int = ALL_CELLS_PX,
) -> Figure:
    """Draw images in a row, under the names of their classes, and their augmented views below.

    Args:
        originals: (n, H, W, C) uint8, 0-255, C is 1 or 3, n is 1 or more.
        views: (v, n, H, W, C) uint8, v is 0 or more.
        names: Class of each original.
        all_cells_px: At most the area of all images, in pixels.
    """
    rows, count = [originals, *views], len(originals)
    most = min(CELL_PX, math.isqrt(all_cells_px // (len(rows) * count)))
    cell = sheets.cell_px(originals.shape[1:], most)
    step = cell + GAP_PX
    sheet = sheets.Sheet.blank(LEFT_PX + count * step, TOP_PX + len(rows) * step)
    for column, (name, _) in enumerate(zip(names, originals, strict=True)):
        middle = LEFT_PX + column * step + cell / 2
        how = {"points": SMALL_POINTS, "align": "center", "hang": "bottom"}
        sheet.text(middle, TOP_PX - GAP_PX, name, width_px=cell, lines=2, **how)
    for row, images in enumerate(rows):
        top = TOP_PX + row * step
        label = sheet.text(
            LEFT_PX - GAP_PX,
            top + cell / 2,
            "augmented" if row else "original",
            points=SMALL_POINTS,
            align="right",
            hang="center",
        )
        label.set_rotation(90)
        for column, image in enumerate(images):
            sheet.image(LEFT_PX + column * step, top, sheets.shown(image, cell))
    return sheet.finish()
