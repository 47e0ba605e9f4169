"""An empty figure measured in pixels, places and texts on it, and how it becomes a PNG file."""

import functools
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform
from PIL import Image

from imago.core import files
from imago.drawing import fonts

DPI = 100
WIDTH_PX, MARGIN_PX = 900, 16
HEADING_PX = 62
"""What `heading` takes: a title and two lines."""
POINTS, SMALL_POINTS, TITLE_POINTS = 9, 8, 12
NARROWEST_EM = 0.25
"""No letter of the font is narrower, as a share of its size: what need not be measured."""

INK, GRAY, LIGHT = "#1a1a1a", "#595959", "#e3e3e3"
BLUE, VERMILLION, ORANGE, GREEN = "#0072b2", "#d55e00", "#e69f00", "#009e73"
"""Source: M. Okabe, K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/"""
RIGHT, WRONG = BLUE, VERMILLION
RIGHT_SIGN, WRONG_SIGN = "✓", "✗"


def blank(width_px: int, height_px: int) -> Figure:
    """Return an empty white figure."""
    figure = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)  # measures texts; pyplot, which keeps figures, stays out
    return figure


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes without a frame, at a place in pixels, `top` counted from the top."""
    whole_width, whole_height = figure.bbox.width, figure.bbox.height
    bottom = whole_height - top - height
    axes = figure.add_axes(
        (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    )
    axes.spines[:].set_color(GRAY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=POINTS, labelfontfamily=fonts.FONT, color=GRAY, labelcolor=INK)
    axes.set_axisbelow(True)
    return axes


def write_text(
    figure: Figure,
    left: float,
    top: float,
    text: str,
    *,
    points: float = POINTS,
    color: str = INK,
    bold: bool = False,
    align: Literal["left", "center", "right"] = "left",
    hang: Literal["top", "center", "bottom"] = "top",
    width_px: float | None = None,
    lines: int = 1,
) -> Text:
    """Write a text at a place in pixels, `top` counted from the top.

    Args:
        figure: What to write on.
        left: Where the text begins, has its middle or ends, as `align` says.
        top: Where its first line begins, it has its middle or its last line ends, as `hang` says.
        text: Taken literally: `$` begins no formula. Of letters that no font has, see `fonts`.
        points: Size of the letters.
        color: Of the letters.
        bold: Whether they are.
        align: See `left`.
        hang: See `top`.
        width_px: Wrap into `lines`, and cut off what does not fit. None: as it is.
        lines: At most.
    """
    weight = "bold" if bold else "normal"
    words = fonts.readable(text)
    if width_px is not None:
        words = fitted(words, width_px, lines, points, weight)
    return figure.text(
        left,
        figure.bbox.height - top,
        words,
        transform=IdentityTransform(),
        parse_math=False,
        fontfamily=fonts.families(words),
        fontsize=points,
        fontweight=weight,
        color=color,
        horizontalalignment=align,
        verticalalignment=hang,
        linespacing=1.15,
    )


def heading(figure: Figure, title: str, subtitle: str) -> None:
    """Write a title and up to two lines below it at the top, as wide as the figure."""
    width = figure.bbox.width - 2 * MARGIN_PX
    write_text(figure, MARGIN_PX, 8, title, points=TITLE_POINTS, bold=True, width_px=width)
    write_text(figure, MARGIN_PX, 30, subtitle, color=GRAY, width_px=width, lines=2)


@functools.lru_cache(maxsize=4096)  # class names come again and again
def fitted(text: str, width_px: float, lines: int, points: float, weight: str) -> str:
    """Wrap a text into `lines` no wider than `width_px`, and cut off what does not fit."""
    ruler = blank(1, 1).text(0, 0, "", parse_math=False, fontsize=points)
    ruler.set_fontfamily(fonts.families(text))
    ruler.set_fontweight(weight)

    def fits(characters: int) -> bool:
        ruler.set_text("\n".join(_wrapped(text, characters, lines)))
        return bool(ruler.get_window_extent().width <= width_px)

    most = lines * int(width_px / (NARROWEST_EM * points * DPI / 72))
    return "\n".join(_wrapped(text, _greatest(fits, min(len(text), most)), lines))


def _greatest(fits: Callable[[int], bool], most: int) -> int:
    """Find the greatest number of 1 to `most` that fits, by bisection; 1 where none does."""
    if most < 1 or fits(most):
        return max(most, 1)
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _wrapped(text: str, characters: int, lines: int) -> Sequence[str]:
    if lines == 1:
        return [text if len(text) <= characters else _without_its_middle(text, characters)]
    found = textwrap.wrap(text, characters)
    if len(found) > lines:
        found = [*found[: lines - 1], found[lines - 1][: characters - 1] + "…"]
    return found


def _without_its_middle(text: str, characters: int) -> str:
    """Shorten a text so that its beginning and its end, where names differ, stay."""
    end = (characters - 1) // 3
    return f"{text[: characters - 1 - end].rstrip()}…{text[len(text) - end :].lstrip()}"


def percent(share: float) -> str:
    """Say a share of 0..1 in whole percent, no less than it is sure of: `<1 %`, `>99 %`."""
    if 0 < share < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def write(path: Path, figure: Figure) -> None:
    """Write `figure` as PNG, equal figures as equal bytes; 256 colours are a third of the size."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    # Pillow takes over the pixels, and neither a date nor Matplotlib's version.
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    with files.replacing(path) as temporary:
        pixels.quantize(256).save(temporary, "PNG")
