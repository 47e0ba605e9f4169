"""What a model's answers for photos come to: metrics with their intervals, classes, confusions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from imago.core.photo_names import listed
from imago.reports import numbers
from imago.score.answers import Answers
from imago.scoring import intervals, metric, summary, tables
from imago.scoring.intervals import Interval
from imago.scoring.metric import Evaluation, Metric
from imago.scoring.predictions import Predictions

CONFUSIONS = 12
"""Pairs of classes that are shown, at most."""
NAMES_SHOWN = 5
ENDS = ("_low", "_high")
"""End the names of metrics that are the ends of another one's interval."""


@dataclass(frozen=True)
class Confusion:
    """Photos of one class that are taken for another.

    Attributes:
        true: The class.
        predicted: The other one.
        share: Of the class's photos.
        rows: Positions of the photos, those first of which the model was surest.
    """

    true: str
    predicted: str
    share: float
    rows: Sequence[int]


@dataclass(frozen=True)
class Result:
    """All that is to be said.

    Attributes:
        model: The file that was run.
        where: What was given.
        split: The split of it that was taken; None for all photos.
        answers: What the model said.
        left_out: Path of each file that is no photo to be scored: why.
        learnt: Photos of which it is known that the model has learnt from them.
    """

    model: str
    where: str
    split: str | None
    answers: Answers
    left_out: Mapping[str, str]
    learnt: int = 0

    @property
    def predictions(self) -> Predictions:
        """What the model said of the photos that can be read."""
        return self.answers.predictions

    @cached_property
    def metrics(self) -> summary.Summary:
        """Those of metrics/<experiment>.json, but for the number of parameters."""
        return summary.compute(self._evaluation)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """The 95 % interval of each metric that has one."""
        found = {one.name: one.interval(self._evaluation) for one in self.shown}
        return {name: interval for name, interval in found.items() if interval is not None}

    @property
    def shown(self) -> list[Metric]:
        """The metrics, the leading one first, without those that are an interval's ends."""
        first = metric.leading(self.metrics)
        others = [name for name in self.metrics if not name.endswith(ENDS) and name != first.name]
        return [first, *map(metric.named, others)]

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """The table of reports/<experiment>/per_class.csv, and the ends of the recall's interval.

        They are missing of a class without photos.
        """
        found = self.predictions
        table = tables.per_class(found.labels, found.probabilities, found.classes)
        right = np.bincount(found.labels[found.right], minlength=len(found.classes))
        pairs = zip(right.tolist(), table["support"].tolist(), strict=True)
        ends = [intervals.wilson(n, of) if of else (np.nan, np.nan) for n, of in pairs]
        low, high = np.array(ends).T
        return table.assign(recall_low=low, recall_high=high)

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """The table of reports/<experiment>/confusion.csv."""
        found = self.predictions
        return tables.confusion(found.labels, found.probabilities, found.classes)

    @cached_property
    def confusions(self) -> list[Confusion]:
        """The most frequent ones, by how many photos and then by which share of a class."""
        table = self.confusion
        wrong = table[(table["true"] != table["predicted"]) & (table["count"] > 0)]
        first = wrong.sort_values(["count", "share"], ascending=False, kind="stable")
        rows = first.head(CONFUSIONS).to_dict("records")
        return [
            Confusion(
                row["true"],
                row["predicted"],
                row["share"],
                self._rows(row["true"], row["predicted"]),
            )
            for row in rows
        ]

    @property
    def answered(self) -> dict[str, int] | None:
        """Count the photos, those that get an answer that is not `unsure`, and the right ones.

        None of a model without limits.
        """
        if self.answers.unsure is None:
            return None
        kept = ~self.answers.unsure
        return {
            "photos": len(kept),
            "answered": int(kept.sum()),
            "right_answered": int(self.predictions.right[kept].sum()),
        }

    @property
    def notes(self) -> Iterator[str]:
        """What a reader of the metrics should know of the photos."""
        if self.learnt:
            are = "photo is one" if self.learnt == 1 else "photos are such"
            yield (
                f"{self.learnt:,} {are} that the model has learnt from or was chosen by, so the "
                "metrics say less of new ones; --split test takes the others"
            )
        if self.answered:
            yield _of_answered(**self.answered)
        found = self.predictions
        counts = np.bincount(found.labels, minlength=len(found.classes))
        absent = [name for name, count in zip(found.classes, counts, strict=True) if not count]
        if absent:
            are = "class" if len(absent) == 1 else "classes"
            yield (
                f"no photos of {len(absent):,} {are} of the model: {listed(absent, NAMES_SHOWN)}; "
                "balanced accuracy and ROC AUC leave them out, macro F1 counts each as 0"
            )
        if copies := len(found.images) - len(np.unique(found.images)):
            are = "photo is" if copies == 1 else "photos are"
            yield f"{copies:,} {are} the same as another one, byte for byte; each counts"
        under = set(zip(found.images.tolist(), found.labels.tolist(), strict=True))
        if twice := len(under) - len(np.unique(found.images)):
            are = "photo is" if twice == 1 else "photos are"
            yield f"{twice:,} {are} under two classes, so one label of each is wrong"

    @cached_property
    def _evaluation(self) -> Evaluation:
        return Evaluation(self.predictions, parameters=None)

    def _rows(self, true: str, predicted: str) -> list[int]:
        found = self.predictions
        are = (found.labels == found.classes.index(true)) & (
            found.predicted == found.classes.index(predicted)
        )
        rows = np.flatnonzero(are)
        surest: list[int] = rows[np.argsort(-found.confidence[rows], kind="stable")].tolist()
        return surest


def _of_answered(photos: int, answered: int, right_answered: int) -> str:
    """Say how many photos a model is unsure of, and how often it is right about the others."""
    unsure = photos - answered
    share = numbers.percent(unsure / photos)
    said = f"imago predict would be unsure of {unsure:,} of {photos:,} ({share})"
    if not answered:
        return said
    low, high = intervals.wilson(right_answered, answered)
    right = numbers.percent(right_answered / answered)
    return f"{said}; of the others {right} are named right ({100 * low:.2f} to {100 * high:.2f})"
