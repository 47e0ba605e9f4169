"""Answers as rows for people, JSON lines or CSV for programs."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from imago.predict.predictor import Prediction
from imago.terminal import as_json, cells, folded, printable

UNSURE = "unsure"
LONGEST_NAME = 60
"""Of an image, in a column of a table."""
GAP = "  "
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Begins what spreadsheets run as a formula. Source: OWASP, CSV Injection."""
NO_WIDTH = 1_000_000

Row = Callable[[str, Prediction], str]
"""From an image's name and its prediction to a line, without its end."""


def answer(prediction: Prediction) -> str:
    """Return the most probable class, or `unsure` where it is none to rely on."""
    return UNSURE if prediction.unsure else prediction.label


def json_lines(top: int) -> tuple[None, Row]:
    """Return no head, and rows such as {"image": …, "answer": …, "label": …, "probability": …}."""

    def row(image: str, prediction: Prediction) -> str:
        said = {
            "image": image,
            "answer": answer(prediction),
            "label": prediction.label,
            "probability": _rounded(prediction.probability),
            "top": {label: _rounded(value) for label, value in prediction.top(top)},
        }
        if prediction.unsure:
            said["unsure"] = prediction.unsure
        if prediction.distance is not None:
            said["distance"] = _rounded(prediction.distance)
        return as_json(said)

    return None, row


def comma_separated(top: int, more: Sequence[str]) -> tuple[str, Row]:
    """Return the names of the columns, and rows: the most probable class first, then the next.

    Args:
        top: Classes told of each image.
        more: The last columns: `unsure`, why an answer is, and `distance`, to the training images.
    """
    heads = ["image", "answer", "label", "probability"]
    heads += [f"{name}_{place}" for place in range(2, top + 1) for name in heads[2:4]]
    heads += more

    def row(image: str, prediction: Prediction) -> str:
        cells: list[object] = [image, answer(prediction)]
        for label, value in prediction.top(top):
            cells += [label, _rounded(value)]
        if "unsure" in more:
            cells.append(prediction.unsure or "")
        if "distance" in more and prediction.distance is not None:
            cells.append(_rounded(prediction.distance))
        return _csv_line(cells)

    return _csv_line(heads), row


def table(
    top: int,
    images: Iterable[str],
    classes: Sequence[str],
    width: int | None,
    *,
    may_be_unsure: bool,
) -> tuple[str, Row]:
    """Return a head and rows in columns whose widths are those of the names.

    By hand, for rows are printed as answers come: a table of `rich` must have all of them first. A
    name that has no room in its column stands on a line of its own, and in a narrow terminal all
    do; classes that have none go on in the next line.

    Args:
        top: Classes shown of each image.
        images: Their names.
        classes: Of the model.
        width: Of the terminal; None for a log.
        may_be_unsure: Whether `unsure` may be an answer.
    """
    names = [*classes, UNSURE] if may_be_unsure else classes
    answers, probabilities = max(map(cells, ["answer", *names])), len("probability")
    first = min(LONGEST_NAME, max(cells(printable(name)) for name in ["image", *images]))
    needed = first + answers + probabilities + 3 * len(GAP)
    if width and needed + max(map(cells, classes)) + len(" >99.9 %,") > width:
        first = 0

    def line(image: str, said: str, probability: str, others: Sequence[str]) -> str:
        name = printable(image)
        if cells(name) <= first:
            name += " " * (first - cells(name))
        else:
            name += "\n" + " " * first
        said += " " * (answers - cells(said))
        start = GAP.join((name, said, probability.rjust(probabilities), ""))
        indent = cells(start.rpartition("\n")[2])
        return (start + folded(others, width or NO_WIDTH, ", ", indent)[indent:]).rstrip()

    def row(image: str, prediction: Prediction) -> str:
        said = answer(prediction)
        shown = prediction.top(top)[said != UNSURE :]
        others = [f"{label} {_percent(value)}" for label, value in shown]
        others = ["unlike the training images"] * (prediction.unsure == "unlike") + others
        return line(image, said, _percent(prediction.probability), others)

    return line("image", "answer", "probability", ["or"] if top > 1 else []), row


def _percent(probability: float) -> str:
    """Say a probability in percent, never that something is certain."""
    if probability < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if probability >= 0.9995 else f"{100 * probability:.1f} %"


def _rounded(probability: float) -> float:
    return round(probability, 6)  # what lies behind it differs from machine to machine


def _csv_line(cells: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(map(_inert, cells))
    return buffer.getvalue().removesuffix("\r\n")  # the line's end, in sight of which it quotes


def _inert(cell: object) -> object:
    """Return a cell that no spreadsheet runs as a formula."""
    if isinstance(cell, str) and len(cell) > 1 and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell
