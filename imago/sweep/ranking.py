"""Which trial is best, by the validation images alone."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from imago import history
from imago.core import sections
from imago.core.errors import SweepError
from imago.sweep.space import Trial


@dataclass(frozen=True)
class TrialScore:
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


def score(name: str, text: str, training: sections.Train) -> TrialScore:
    """Score a trial by the text of its history.csv.

    Raises:
        SweepError: It has no validation metrics.
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    if not all(row["validation_accuracy"] and row["validation_loss"] for row in rows):
        message = f"{name}: history.csv must have validation metrics to choose by, got none"
        raise SweepError(message)
    epochs = [{key: float(value) for key, value in row.items()} for row in rows]
    kept = epochs[history.kept(epochs, training.model_dump())]
    return TrialScore(
        name, int(kept["epoch"]), kept["validation_accuracy"], kept["validation_loss"]
    )


def ranked(scores: Iterable[TrialScore]) -> list[TrialScore]:
    """Sort by accuracy, the best first; among equals by loss."""
    return sorted(scores, key=lambda found: (-found.validation_accuracy, found.validation_loss))


def table(scores: Sequence[TrialScore], trials: Mapping[str, Trial]) -> Table:
    """Lay out scores with what was tried, a line each; `trials` by the names of the scores."""
    keys = list(next(iter(trials.values())))
    laid_out = Table(box=None, pad_edge=False)
    for title in ("validation accuracy", "loss", "epoch", *keys, "name"):
        laid_out.add_column(Text(title), justify="right")
    for found in scores:
        values = [f"{found.validation_accuracy:.2%}", f"{found.validation_loss:.4f}"]
        tried = [str(trials[found.name][key]) for key in keys]
        laid_out.add_row(*map(Text, [*values, str(found.epoch), *tried, found.name]))
    return laid_out
