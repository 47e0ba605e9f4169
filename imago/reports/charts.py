"""Line charts as SVG in a page, whose colours follow the page's light or dark theme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from imago.reports import numbers

WIDTH, HEIGHT = 440, 260
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 12, 44
TICKS = 5
COLORS, MARKERS = 6, 5
"""How many there are in the page's style and template; together they tell 30 lines apart."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A line of a chart: what to draw, in its coordinates.

    Attributes:
        name: Of what it shows.
        points: As an SVG polyline has them.
        end: The last point.
        color: Number of its colour.
        marker: Number of the mark at its end.
        dashed: Whether it is.
    """

    name: str
    points: str
    end: tuple[float, float]
    color: int
    marker: int
    dashed: bool


@dataclass(frozen=True)
class Chart:
    """A chart: lines and axes, in its coordinates.

    Attributes:
        title: Of the y axis.
        lines: What it shows.
        x_ticks: Place and text of each.
        y_ticks: Place and text of each.
    """

    title: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def draw(title: str, kind: numbers.Kind, series: Mapping[str, tuple[Points, Points]]) -> Chart:
    """Draw two lines for each name in one colour: a solid and a dashed one, which may be empty.

    Args:
        title: Of the y axis.
        kind: share for values of 0 to 1, which are written as percentages.
        series: By its name, the points (x, y) of both lines; x counts from 1.
    """
    everything = [point for lines in series.values() for points in lines for point in points]
    longest = max(x for x, _ in everything)
    lowest, highest = min(y for _, y in everything), max(y for _, y in everything)
    y_values = list(map(float, MaxNLocator(TICKS).tick_values(lowest, highest)))
    if kind == "share":
        y_values = [y for y in y_values if 0 <= y <= 1]
    low, high = min(y_values[0], lowest), max(y_values[-1], highest)
    locator = MaxNLocator(TICKS, integer=True)
    x_values = [x for x in map(float, locator.tick_values(1, max(longest, 2))) if 1 <= x <= longest]

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - 1) / max(longest - 1, 1)
        up = (y - low) / (high - low)
        place = (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM),
        )
        return round(place[0], 1), round(place[1], 1)

    lines = []
    for number, (name, both) in enumerate(series.items()):
        for dashed, points in zip((False, True), both, strict=True):
            if points:
                places = [at(x, y) for x, y in points]
                text = " ".join(f"{x},{y}" for x, y in places)
                color, marker = number % COLORS, number % MARKERS
                lines.append(Line(name, text, places[-1], color, marker, dashed))
    return Chart(
        title=title,
        lines=lines,
        x_ticks=[(at(x, low)[0], f"{x:g}") for x in x_values],
        y_ticks=[
            (at(1, y)[1], f"{100 * y:g} %" if kind == "share" else f"{y:g}") for y in y_values
        ],
    )
