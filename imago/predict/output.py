"""Answers as rows for people, JSON lines or CSV for programs."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence

from imago.predict.predictor import Prediction

UNSURE = "unsure"
LONGEST_NAME = 60
"""Characters of an image's name in a table; the end of a longer one is shown."""

Row = Callable[[str, Prediction], str]
"""From an image's name and its prediction to a line, without its end."""


def answer(prediction: Prediction, threshold: float) -> str:
    """Return the most probable class, or `unsure` where its probability is under the threshold."""
    return prediction.label if prediction.probability >= threshold else UNSURE


def json_lines(top: int, threshold: float) -> tuple[None, Row]:
    """Return no head, and rows such as {"image": …, "answer": …, "label": …, "probability": …}."""

    def row(image: str, prediction: Prediction) -> str:
        said = {
            "image": image,
            "answer": answer(prediction, threshold),
            "label": prediction.label,
            "probability": _rounded(prediction.probability),
            "top": {label: _rounded(value) for label, value in prediction.top(top)},
        }
        return json.dumps(said, ensure_ascii=False)

    return None, row


def comma_separated(top: int, threshold: float) -> tuple[str, Row]:
    """Return the names of the columns, and rows: the most probable class first, then the next."""
    heads = ["image", "answer", "label", "probability"]
    heads += [f"{name}_{place}" for place in range(2, top + 1) for name in heads[2:4]]

    def row(image: str, prediction: Prediction) -> str:
        cells: list[object] = [image, answer(prediction, threshold)]
        for label, value in prediction.top(top):
            cells += [label, _rounded(value)]
        return _csv_line(cells)

    return _csv_line(heads), row


def table(
    top: int, threshold: float, images: Iterable[str], classes: Sequence[str]
) -> tuple[str, Row]:
    """Return a head and rows in columns whose widths are those of the names.

    Args:
        top: Classes shown of each image.
        threshold: Under which the answer is `unsure`.
        images: Their names.
        classes: Of the model.
    """
    names = [*classes, UNSURE] if threshold > 0 else classes
    widths = [
        min(LONGEST_NAME, max(map(len, ["image", *images]))),
        max(map(len, ["answer", *names])),
        len("probability"),
    ]

    def line(image: str, said: str, probability: str, others: str) -> str:
        cells = (image.ljust(widths[0]), said.ljust(widths[1]), probability.rjust(widths[2]))
        return "  ".join((*cells, others)).rstrip()

    def row(image: str, prediction: Prediction) -> str:
        said = answer(prediction, threshold)
        shown = prediction.top(top)[said != UNSURE :]
        others = ", ".join(f"{label} {_percent(value)}" for label, value in shown)
        probability = _percent(prediction.probability)
        return line(_shortened(image), said, probability, others)

    return line("image", "answer", "probability", "or" if top > 1 else ""), row


def _percent(probability: float) -> str:
    """Say a probability in percent, never that something is certain."""
    if probability < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if probability >= 0.9995 else f"{100 * probability:.1f} %"


def _rounded(probability: float) -> float:
    return round(probability, 6)  # what lies behind it differs from machine to machine


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"


def _csv_line(cells: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()
