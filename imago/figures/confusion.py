"""Which classes are taken for which."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago.drawing import canvas, sheets
from imago.drawing.canvas import GRAY, INK, MARGIN_PX, RIGHT, SMALL_POINTS, WRONG
from imago.figures._subject import Subject

TITLE = "Confusion matrix"
CAPTION = "What is off the diagonal is wrong: rows are the true classes, columns the answers."
SECTION, PLACE = "answers", 10

CLASSES = 20
"""Of more, those in most mistakes are shown, and the others together."""
UPRIGHT = 12
"""Up to so many names stand above their columns; of more, they lean."""
NAME_PX, LEANING_PX, GAP_PX = 150, 100, 2
WHITE_INK_BELOW = 0.25
"""The luminance of a colour on which white letters are easier to read."""


def draw(subject: Subject) -> Figure | None:
    """Draw counts and shares of each pair of a true and a predicted class.

    None where the classes are so many that the table has the largest alone: see `confused_pairs`.
    """
    classes = subject.classes
    if len(subject.confusion) < len(classes) ** 2:
        return None
    # The table's rows are in the order of the true classes, then of the predicted.
    counts = subject.confusion["count"].to_numpy(np.int64).reshape(len(classes), len(classes))
    counts, names = gathered(counts, classes)
    text = (
        "Rows: the true class; columns: the predicted one. In each cell: test images, and their "
        "share of the row. Blue is right, orange is wrong; the darker, the greater the share."
    )
    if len(classes) > CLASSES:
        text += f" {CLASSES} of {len(classes)} classes, those in most mistakes."
    room = canvas.WIDTH_PX - NAME_PX - 2 * MARGIN_PX
    if len(names) <= UPRIGHT:
        cell, top = (min(room // len(names), 200), 42), canvas.HEADING_PX + 44
    else:
        cell, top = ((room - 50) // len(names), 34), canvas.HEADING_PX + LEANING_PX
    sheet = sheets.Sheet.blank(canvas.WIDTH_PX, top + len(names) * cell[1] + 8)
    canvas.heading(sheet.figure, TITLE, text)
    _draw_names(sheet, names, counts.sum(axis=1), cell, top)
    _draw_cells(sheet, counts, cell, top, others=len(names) - 1 if len(names) > CLASSES else None)
    return sheet.finish()


def gathered(
    counts: NDArray[np.int64], classes: Sequence[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Keep CLASSES classes that are in most mistakes, in their order, and add up the others.

    Returns:
        (k, k) counts, and k names; all of them where there are no more.
    """
    if len(classes) <= CLASSES:
        return counts, list(classes)
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    kept = np.sort(np.argsort(-mistakes, kind="stable")[:CLASSES])
    group = np.full(len(classes), CLASSES)
    group[kept] = np.arange(CLASSES)
    found = np.zeros((CLASSES + 1, CLASSES + 1), np.int64)
    np.add.at(found, (group[:, np.newaxis], group), counts)
    others = f"{len(classes) - CLASSES} others"
    return found, [*(classes[label] for label in kept), others]


def _draw_names(
    sheet: sheets.Sheet,
    names: Sequence[str],
    totals: NDArray[np.int64],
    cell: tuple[int, int],
    top: int,
) -> None:
    left, (width, height) = MARGIN_PX + NAME_PX, cell
    for row, (name, total) in enumerate(zip(names, totals.tolist(), strict=True)):
        middle = top + (row + 0.5) * height
        how = {"align": "right", "width_px": NAME_PX - 8, "hang": "center"}
        sheet.text(left - 8, middle - 7, name, **how)
        sheet.text(left - 8, middle + 8, f"{total:,}", points=SMALL_POINTS, color=GRAY, **how)
    for column, name in enumerate(names):
        middle = left + (column + 0.5) * width
        if len(names) <= UPRIGHT:
            how = {"align": "center", "hang": "bottom", "lines": 2}
            sheet.text(middle, top - 6, name, points=SMALL_POINTS, width_px=width - 4, **how)
        else:
            text = sheet.text(middle - 4, top - 6, name, width_px=LEANING_PX, hang="bottom")
            text.set(rotation=45, rotation_mode="anchor")
    sheet.text(MARGIN_PX, top - 6, "true ↓   predicted →", color=GRAY, hang="bottom")


def _draw_cells(
    sheet: sheets.Sheet,
    counts: NDArray[np.int64],
    cell: tuple[int, int],
    top: int,
    others: int | None,
) -> None:
    """Draw the cells; that of others taken for others is neither right nor wrong."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    width, height = cell
    points = SMALL_POINTS if width >= 44 else 7
    for row, column in np.ndindex(counts.shape):
        x, y = MARGIN_PX + NAME_PX + column * width, top + row * height
        share, is_right = float(shares[row, column]), row == column
        # A few in a hundred are many mistakes: their colour rises fast at first.
        depth = share if is_right else share**0.5
        color = GRAY if is_right and row == others else RIGHT if is_right else WRONG
        tint = _tint(color, 0.04 + 0.96 * depth)
        sheet.box(x, y, width - GAP_PX, height - GAP_PX, to_hex(tuple(tint.tolist())))
        if not counts[row, column]:
            continue
        ink = "white" if _luminance(tint) < WHITE_INK_BELOW else INK
        middle = x + (width - GAP_PX) / 2
        how = {"align": "center", "hang": "center", "points": points, "color": ink}
        half = y + (height - GAP_PX) / 2
        sheet.text(middle, half - 7, f"{counts[row, column]:,}", bold=is_right, **how)
        sheet.text(middle, half + 7, canvas.percent(share), **how)


def _tint(color: str, depth: float) -> NDArray[np.float64]:
    """Mix a colour with white; a depth of 1 is the colour itself. Returns RGB, 0..1."""
    return 1 - depth * (1 - np.array(to_rgb(color)))


def _luminance(rgb: NDArray[np.float64]) -> float:
    """Return the relative luminance, 0..1.

    Source: Web Content Accessibility Guidelines 2.1, relative luminance.
    """
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
