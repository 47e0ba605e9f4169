import pytest

from imago.reports import charts

ONE = {"a": ([(1, 0.5), (3, 0.9)], [])}


def test_points_lie_between_the_axes():
    chart = charts.draw("Accuracy", "share", ONE)

    (line,) = chart.lines
    assert line.points.startswith(f"{chart.left:.1f},")
    assert line.end[0] == chart.right
    assert chart.top <= line.end[1] < chart.bottom
    assert [text for _, text in chart.x_ticks] == ["1", "2", "3"]


def test_a_value_stands_at_its_tick():
    chart = charts.draw("Loss", "number", {"a": ([(1, 0.0), (2, 10.0)], [])})

    places = {text: y for y, text in chart.y_ticks}
    (line,) = chart.lines
    assert line.points == f"{chart.left:.1f},{places['0']} {chart.right:.1f},{places['10']}"
    assert (places["0"], places["10"]) == (chart.bottom, chart.top)


def test_shares_end_at_1():
    chart = charts.draw("Accuracy", "share", {"a": ([(1, 0.97), (2, 0.9999)], [])})
    assert all(float(text.removesuffix(" %")) <= 100 for _, text in chart.y_ticks)


def test_validation_is_dashed_in_the_same_colour():
    chart = charts.draw("Loss", "number", {"a": ONE["a"], "b": ([(1, 2.0)], [(1, 3.0)])})

    shown = [(line.name, line.color, line.dashed) for line in chart.lines]
    assert shown == [("a", 0, False), ("b", 1, False), ("b", 1, True)]


def test_many_lines_differ_in_colour_or_mark():
    chart = charts.draw("Loss", "number", {f"e{n}": ONE["a"] for n in range(30)})
    assert len({(line.color, line.marker) for line in chart.lines}) == 30


@pytest.mark.parametrize("points", [[(1, 0.5)], [(1, 0.0)], [(1, 1.0), (2, 1.0)]], ids=str)
@pytest.mark.parametrize("kind", ["share", "number"])
def test_a_line_without_height_or_width(points, kind):
    chart = charts.draw("Accuracy", kind, {"a": (points, [])})

    assert chart.top <= chart.lines[0].end[1] <= chart.bottom
    assert chart.x_ticks
    assert chart.y_ticks
