"""What a model says of photos whose classes are known, as `scoring.predictions` holds it."""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imago.core import progress
from imago.core.errors import DataError, ImageError
from imago.core.photo_names import by_reason, listed
from imago.photos.decoding import UnreadableError
from imago.predict import bulk
from imago.predict.given import Given
from imago.predict.predictor import Predictor
from imago.score.labelled import Labelled
from imago.scoring import predictions
from imago.scoring.predictions import Predictions

DAMAGED = "damaged, or not to be read from where it lies"
"""The reason against a photo whose bytes cannot be had."""


@dataclass(frozen=True)
class Answers:
    """What came of asking a model.

    Attributes:
        predictions: Of the photos that can be read; a row for each stays in memory, and no pixels.
        unreadable: Path of each other photo: why it cannot be read.
        unsure: (N,) whether `imago predict` would answer `unsure`, of those that can be read; None
            of a model without limits.
    """

    predictions: Predictions
    unreadable: dict[str, str]
    unsure: NDArray[np.bool_] | None = None


def ask(
    photos: Labelled,
    predictor: Predictor,
    greatest_unreadable_fraction: float,
    workers: int | None = None,
) -> Answers:
    """Ask a model about every photo, on all cores.

    Args:
        photos: Open for reading.
        predictor: Takes photos as the stage prepare does; a twin of it works on each core.
        greatest_unreadable_fraction: Share of the photos that may be unreadable.
        workers: Cores to work on; None for all.

    Raises:
        DataError: More photos are unreadable, or all are.
    """
    identities: dict[str, bytes] = {}

    def read(path: str) -> bytes:
        try:
            content = photos.archive.read(path)
        except DataError as error:
            raise UnreadableError(DAMAGED) from error
        identities[path] = hashlib.sha256(content).digest()[:8]  # as `packs.identities`
        return content

    given = [Given(path, functools.partial(read, path)) for path in photos.labels]
    load: Callable[[], Predictor] = functools.partial(predictor.twin, threads=1)
    answered = bulk.predict(given, load, workers, predictor.elsewhere)
    probabilities = np.empty((len(given), len(predictor.classes)), np.float32)
    readable: list[str] = []
    unsure: list[bool] = []
    unreadable: dict[str, str] = {}
    for photo, found in progress.over(answered, "score", len(given), "photos"):
        if isinstance(found, ImageError):
            unreadable[photo.name] = str(found).removeprefix(f"{photo.name}: ")
        else:
            probabilities[len(readable)] = list(found.probabilities.values())
            readable.append(photo.name)
            unsure.append(found.unsure is not None)
    _check_readable(photos, unreadable, greatest_unreadable_fraction)
    made = predictions.make(
        np.array([photos.labels[path] for path in readable], np.int32),
        probabilities[: len(readable)],
        predictor.classes,
        np.frombuffer(b"".join(map(identities.__getitem__, readable)), ">u8").astype(np.uint64),
        readable,
    )
    return Answers(made, unreadable, np.array(unsure) if predictor.may_be_unsure else None)


def _check_readable(photos: Labelled, unreadable: dict[str, str], greatest_fraction: float) -> None:
    total = len(photos.labels)
    if len(unreadable) / total <= greatest_fraction and len(unreadable) < total:
        return
    message = (
        f"{photos.where}: of {total:,} photos a share of {greatest_fraction:g} may be unreadable, "
        f"got {len(unreadable):,}: {by_reason(unreadable.values())}, such as "
        f"{listed(list(unreadable))}; mend or remove them, or raise --greatest-unreadable-fraction"
    )
    raise DataError(message)
