"""Figures for people to look at: drawn in memory, written as PNG."""

import io
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from imago import files

DPI = 100
CELL_PX, ALL_CELLS_PX = 128, 400_000
"""At most the side of an image in the preview, and the area of all: 250 kB for photos."""
GAP_PX, LEFT_PX, TOP_PX = 4, 22, 36
"""Between images; for the row labels; for the class names, two lines."""
FONT = {"family": "DejaVu Sans", "size": 8}
"""It comes with Matplotlib, so figures do not depend on the fonts of a machine."""


def preview(originals: NDArray[np.uint8], views: NDArray[np.uint8], names: Sequence[str]) -> Figure:
    """Draw images in a row, under the names of their classes, and their augmented views below.

    Small images are enlarged by a whole factor, pixel by pixel; large ones are shrunk.

    Args:
        originals: (n, H, W, C) uint8, 0-255, C is 1 or 3, n is 1 or more.
        views: (v, n, H, W, C) uint8, v is 0 or more.
        names: Class of each original.
    """
    count, height, width, _ = originals.shape
    rows = [originals, *views]
    cell = _cell_px(max(height, width), len(rows) * count)
    figure = Figure(dpi=DPI)
    FigureCanvasAgg(figure)  # measures texts; pyplot, which keeps figures, stays out
    axes = _grid(figure, len(rows), count, cell)
    for row, images in enumerate(rows):
        axes[row, 0].set_ylabel("augmented" if row else "original", labelpad=GAP_PX, **FONT)
        for axis, image in zip(axes[row], images, strict=True):
            _show(axis, image)
    for axis, name in zip(axes[0], names, strict=True):
        _fit(axis.set_title(name, pad=GAP_PX, parse_math=False, **FONT), cell)
    return figure


def write(path: Path, figure: Figure) -> None:
    """Write `figure` as PNG, equal figures as equal bytes; 256 colours are a third of the size."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    with files.replacing(path) as temporary:
        # Pillow takes over the pixels, and neither a date nor Matplotlib's version.
        Image.open(drawn).convert("RGB").quantize(256).save(temporary, "PNG", optimize=True)


def _cell_px(side: int, cells: int) -> int:
    """Give the side of each of `cells` for images of `side`: a multiple of it, or what there is."""
    largest = min(CELL_PX, math.isqrt(ALL_CELLS_PX // cells))
    return largest - largest % side if side <= largest else largest


def _grid(figure: Figure, rows: int, columns: int, cell: int) -> NDArray[np.object_]:
    """Divide the figure into axes of `cell` by `cell` pixels, (rows, columns)."""
    width = LEFT_PX + columns * (cell + GAP_PX)
    height = TOP_PX + rows * (cell + GAP_PX)
    figure.set_size_inches(width / DPI, height / DPI)
    figure.subplots_adjust(
        left=LEFT_PX / width,
        right=1 - GAP_PX / width,
        bottom=GAP_PX / height,
        top=1 - TOP_PX / height,
        wspace=GAP_PX / cell,
        hspace=GAP_PX / cell,
    )
    return figure.subplots(rows, columns, squeeze=False)


def _show(axis: Axes, image: NDArray[np.uint8]) -> None:
    height, width, _ = image.shape
    axis.imshow(np.broadcast_to(image, (height, width, 3)))  # a colour map may round gray levels
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def _fit(title: Text, width_px: int) -> None:
    """Wrap a title into two lines no wider than `width_px`, and cut off what does not fit."""
    name = title.get_text()
    for characters in range(len(name), 0, -1):
        lines = textwrap.wrap(name, characters)
        if len(lines) > 2:
            lines = [lines[0], lines[1][: characters - 1] + "…"]
        title.set_text("\n".join(lines))
        if title.get_window_extent().width <= width_px:
            return
