from typing import Any

import numpy as np
import pytest

from app import drawing


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(image.any(axis=(1, 2))), np.flatnonzero(image.any(axis=(0, 2)))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_a_line_fills_twenty_of_twenty_eight_pixels() -> None:
    image = drawing.render([[(0.5, 0.1), (0.5, 0.9)]])
    assert image.shape == (280, 280, 1)
    top, bottom, left, right = box(image)
    assert (bottom - top, right - left) == (pytest.approx(200, abs=3), pytest.approx(24, abs=3))
    assert (top + bottom) / 2 == pytest.approx(139.5, abs=1.5)
    assert (left + right) / 2 == pytest.approx(139.5, abs=1.5)


@pytest.mark.parametrize(("scale", "shift"), [(0.1, 0.0), (0.5, 0.4), (0.05, 0.9)])
def test_size_and_place_on_the_paper_do_not_matter(scale: float, shift: float) -> None:
    seven = [(0.2, 0.1), (0.8, 0.1), (0.4, 0.9)]
    moved = [(x * scale + shift, y * scale + shift) for x, y in seven]
    difference = np.abs(drawing.render([seven]).astype(int) - drawing.render([moved]))
    assert difference.mean() < 0.5


def test_the_centre_is_that_of_the_mass() -> None:
    image = drawing.render([[(0.1, 0.1), (0.9, 0.1)], [(0.1, 0.1), (0.1, 0.9)]])[..., 0].astype(
        float
    )
    rows, columns = np.indices(image.shape)
    assert (rows * image).sum() / image.sum() == pytest.approx(139.5, abs=1)
    assert (columns * image).sum() / image.sum() == pytest.approx(139.5, abs=1)


def test_a_dot() -> None:
    assert drawing.render([[(0.0, 1.0)]]).max() == 255


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([[[0, 0.5], [1, 1]]], [[(0.0, 0.5), (1.0, 1.0)]]),
        ([[], "x", [[2, 0]], [[0.1, 0.2], ["a", 1], [0.3]]], [[(0.1, 0.2)]]),
        ([[[float("nan"), 0]]], []),
        ({"strokes": 1}, []),
        (None, []),
        ([[[0, 0]] * 20_001], []),
    ],
    ids=["strokes", "wrong points", "nan", "object", "none", "too many"],
)
def test_what_the_browser_sends(sent: Any, expected: list[Any]) -> None:
    assert drawing.strokes(sent) == expected
