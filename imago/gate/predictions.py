"""Tables of predictions, and the images of two of them in pairs."""

import io
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imago.core.errors import DataError, GateError

PROBABILITY = "p:"
"""Begins the name of the column of a class's probability."""
LEAST_PROBABILITY = 1e-7
"""At which the probability of the true class is held for the loss, as in imago.scoring.scores."""


@dataclass(frozen=True)
class Predictions:
    """What a model said of each test image, as predictions/<experiment>.csv has it.

    Attributes:
        classes: K names.
        images: (N,) texts that tell the images apart.
        labels: (N,) positions of the true classes.
        predicted: (N,) positions of the predicted classes.
        probabilities: (N, K) float64.
    """

    classes: tuple[str, ...]
    images: NDArray[np.str_]
    labels: NDArray[np.intp]
    predicted: NDArray[np.intp]
    probabilities: NDArray[np.float64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one, (N,)."""
        return np.asarray(self.labels == self.predicted)

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cross-entropy of each example, in nats, (N,)."""
        of_truth = self.probabilities[np.arange(len(self.labels)), self.labels]
        return -np.log(np.maximum(of_truth, LEAST_PROBABILITY))

    @property
    def brier_scores(self) -> NDArray[np.float64]:
        """The squared distance of each example's probabilities from the truth, (N,)."""
        distance = self.probabilities - np.eye(len(self.classes))[self.labels]
        return np.asarray((distance**2).sum(axis=1))

    def ordered(self) -> "Predictions":
        """Sort by image and true class, so that the rows of two tables of one split pair up."""
        order = np.lexsort([self.labels, self.images])
        return Predictions(
            self.classes,
            self.images[order],
            self.labels[order],
            self.predicted[order],
            self.probabilities[order],
        )


def parse(content: bytes, where: str) -> Predictions:
    """Read the bytes of a table; `where` begins an error. Raises DataError."""
    try:
        # As texts: a class can be named 7, NA or true.
        texts = {"image": str, "true": str, "predicted": str}
        table = pd.read_csv(io.BytesIO(content), dtype=texts, keep_default_na=False)
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        message = f"{where}: must be a table of predictions: {' '.join(str(error).split())}"
        raise DataError(message) from error
    if absent := sorted({"image", "true", "predicted"} - set(table.columns)):
        message = f"{where}: must have the column {absent[0]}, got {', '.join(table.columns[:6])}"
        raise DataError(message)
    columns = [name for name in table.columns if name.startswith(PROBABILITY)]
    classes = tuple(name.removeprefix(PROBABILITY) for name in columns)
    try:
        probabilities = table[columns].to_numpy(np.float64)
    except ValueError as error:
        message = f"{where}: probabilities must be numbers: {error}"
        raise DataError(message) from error
    if not len(table):
        message = f"{where}: must have a row for each test image, got none"
        raise DataError(message)
    return Predictions(
        classes,
        table["image"].to_numpy(np.str_),
        _positions(table["true"], classes, where),
        _positions(table["predicted"], classes, where),
        probabilities,
    )


def _positions(column: "pd.Series[str]", classes: tuple[str, ...], where: str) -> NDArray[np.intp]:
    positions = pd.Index(classes).get_indexer(pd.Index(column))
    if (positions < 0).any():
        row = int(np.argmin(positions))
        message = (
            f"{where}: row {row + 1}: {column.name} must be a class with a column "
            f"{PROBABILITY}<class>, got {column.iloc[row]!r}"
        )
        raise DataError(message)
    return np.asarray(positions, np.intp)


def pair(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Sort two tables so that row i of both is of one image.

    Raises:
        GateError: They are not of one test split: other images, true labels or classes.
    """
    if difference := split_difference(first, second):
        message = f"the test splits differ: {difference}"
        raise GateError(message)
    return first.ordered(), second.ordered()


def split_difference(first: Predictions, second: Predictions) -> str:
    """Say how two test splits differ; nothing if they do not."""
    if first.classes != second.classes:
        return f"classes {_listed(first.classes)} in the base, {_listed(second.classes)} here"
    mine, yours = _labels_of_images(first), _labels_of_images(second)
    both = mine.index.intersection(yours.index)
    found = [
        (len(mine) - len(both), "images only in the base"),
        (len(yours) - len(both), "images only here"),
        (int((mine[both] != yours[both]).sum()), "images with another true class"),
    ]
    return ", ".join(f"{count:,} {what}" for count, what in found if count)


def _labels_of_images(predictions: Predictions) -> "pd.Series[int]":
    """Return the label of each image; of images alike, the second one, third one, … apart."""
    ordered = predictions.ordered()
    table = pd.DataFrame({"image": ordered.images, "label": ordered.labels})
    table["occurrence"] = table.groupby("image").cumcount()
    return table.set_index(["image", "occurrence"])["label"]


def _listed(names: tuple[str, ...], shown: int = 5) -> str:
    more = [f"… ({len(names)})"] if len(names) > shown else []
    return ", ".join([*names[:shown], *more])
