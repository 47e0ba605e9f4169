"""What ways of training came to in a cross-validation: their scores of each fold, and a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from imago.sweep.space import Trial


@dataclass(frozen=True)
class Result:
    """What a way of training came to.

    Attributes:
        trial: The values that were tried; none where it is as params.yaml says.
        accuracies: Of each fold, 0..1.
        balanced_accuracies: Of each fold, the mean recall of its classes, 0..1.
    """

    trial: Trial
    accuracies: Sequence[float]
    balanced_accuracies: Sequence[float]


def of(
    trial: Trial, hits: Sequence[NDArray[np.bool_]], labels: Sequence[NDArray[np.int32]]
) -> Result:
    """Score a way of training.

    Args:
        trial: The values that were tried.
        hits: For each fold, (n,), whether each of its examples is answered rightly.
        labels: For each fold, (n,).
    """
    return Result(
        trial,
        [float(some.mean()) for some in hits],
        [_balanced(some, of_fold) for some, of_fold in zip(hits, labels, strict=True)],
    )


def _balanced(hits: NDArray[np.bool_], labels: NDArray[np.int32]) -> float:
    return float(np.mean([hits[labels == label].mean() for label in np.unique(labels)]))


def table(results: Sequence[Result]) -> Table:
    """Lay out results with what was tried, a line each."""
    laid_out = Table(box=None, pad_edge=False)
    titles = ["balanced accuracy", "of each fold", "accuracy", "of each fold"]
    for title in (*titles, *results[0].trial):
        laid_out.add_column(Text(title), justify="right")
    for result in results:
        shown = [
            text
            for found in (result.balanced_accuracies, result.accuracies)
            for text in _shown(found)
        ]
        laid_out.add_row(*map(Text, [*shown, *map(str, result.trial.values())]))
    return laid_out


def _shown(found: Sequence[float]) -> Iterator[str]:
    spread = float(np.std(found, ddof=1))
    yield f"{100 * float(np.mean(found)):.1f} ± {100 * spread:.1f} %"
    yield " ".join(f"{100 * one:.1f}" for one in found)
