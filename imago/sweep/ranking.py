"""Which trial is best, by the validation images alone."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imago import history
from imago.core import sections
from imago.core.errors import SearchError


@dataclass(frozen=True)
class Result:
    """What a trial came to.

    Attributes:
        name: Of the experiment of DVC.
        epoch: From 1, the one whose weights the model has.
        validation_accuracy: Of these weights, 0..1.
        validation_loss: Of these weights, in nats.
    """

    name: str
    epoch: int
    validation_accuracy: float
    validation_loss: float


def result(name: str, text: str, recipe: sections.Train) -> Result:
    """Read a trial's result from the text of its history.csv.

    Raises:
        SearchError: It has no validation figures.
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    if not all(row["validation_accuracy"] and row["validation_loss"] for row in rows):
        message = f"{name}: history.csv must have validation figures to choose by, got none"
        raise SearchError(message)
    epochs = [{key: float(value) for key, value in row.items()} for row in rows]
    kept = epochs[history.kept(epochs, recipe.model_dump())]
    return Result(name, int(kept["epoch"]), kept["validation_accuracy"], kept["validation_loss"])


def ranked(results: Sequence[Result]) -> list[Result]:
    """Sort by accuracy, the best first; among equals by loss."""
    return sorted(results, key=lambda found: (-found.validation_accuracy, found.validation_loss))


def table(results: Sequence[Result], trials: Mapping[str, Mapping[str, object]]) -> str:
    """Write results with what was tried, a line each; `trials` by the names of the results."""
    keys = list(next(iter(trials.values())))
    lines = [["validation accuracy", "loss", "epoch", *keys, "name"]]
    for found in results:
        tried = [str(trials[found.name][key]) for key in keys]
        figures = [f"{found.validation_accuracy:.2%}", f"{found.validation_loss:.4f}"]
        lines.append([*figures, str(found.epoch), *tried, found.name])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
