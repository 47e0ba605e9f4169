"""A sheet of images, boxes and texts: pixels set one by one, without the cost of many axes."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from imago.drawing import canvas


def shown(image: NDArray[np.uint8], cell_px: int) -> NDArray[np.uint8]:
    """Bring an image to the size at which it is shown.

    Small images are enlarged by a whole factor, pixel by pixel; large ones are shrunk.

    Args:
        image: (H, W, C) uint8, 0-255, C is 1 or 3.
        cell_px: At most the longer side of the result.

    Returns:
        (h, w, 3) uint8.
    """
    height, width, _ = image.shape
    image = np.broadcast_to(image, (height, width, 3))
    factor, longer = cell_px // max(height, width), max(height, width)
    if factor:
        return image.repeat(factor, axis=0).repeat(factor, axis=1)
    size = max(1, round(width * cell_px / longer)), max(1, round(height * cell_px / longer))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def cell_px(image_shape: tuple[int, ...], most_px: int) -> int:
    """Return the longer side that `shown` gives images of a shape in cells of `most_px`."""
    longer = max(image_shape[:2])
    return most_px - most_px % longer if longer <= most_px else most_px


@dataclass(frozen=True)
class Sheet:
    """A figure under composition, measured in pixels from its left and its top.

    Attributes:
        figure: Holds the texts.
        pixels: (height, width, 3) uint8, what is below them.
    """

    figure: Figure
    pixels: NDArray[np.uint8]

    @classmethod
    def blank(cls, width_px: int, height_px: int) -> "Sheet":
        """Begin with white."""
        figure = canvas.blank(width_px, height_px)
        return cls(figure, np.full((height_px, width_px, 3), 255, np.uint8))

    def image(self, left: int, top: int, pixels: NDArray[np.uint8]) -> None:
        """Put pixels, (h, w, 3) uint8, onto the sheet."""
        height, width, _ = pixels.shape
        self.pixels[top : top + height, left : left + width] = pixels

    def framed(
        self, left: int, top: int, pixels: NDArray[np.uint8], color: str, frame_px: int = 3
    ) -> None:
        """Put pixels onto the sheet, with a frame around them."""
        height, width, _ = pixels.shape
        outer = left - frame_px, top - frame_px, width + 2 * frame_px, height + 2 * frame_px
        self.box(*outer, color)
        self.image(left, top, pixels)

    def box(self, left: int, top: int, width: int, height: int, color: str) -> None:
        """Fill a rectangle."""
        rgb = np.round(np.multiply(to_rgb(color), 255)).astype(np.uint8)
        self.pixels[top : top + height, left : left + width] = rgb

    def text(self, left: float, top: float, text: str, **how: Any) -> Text:
        """Write a text; see `canvas.write_text`."""
        return canvas.write_text(self.figure, left, top, text, **how)

    def finish(self) -> Figure:
        """Return the figure, with the pixels below its texts."""
        self.figure.figimage(self.pixels, origin="upper")
        return self.figure
