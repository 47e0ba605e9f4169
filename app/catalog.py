"""The models that there are, and what lies beside them: examples, metrics, cards."""

import csv
import functools
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths
from imago.core.errors import ImagoError
from imago.data import arrays
from imago.predict.predictor import Predictor
from imago.runtimes import model_json, trained
from imago.scoring import summary

log = logging.getLogger("imago.app")

EXAMPLES = 12
"""Images to click, over all classes, at most; but one of each class."""

LEAST_EXAMPLES = 20
"""Test images without which a share of them says little."""


@dataclass(frozen=True)
class Example:
    """An image of the test split.

    Attributes:
        pixels: (H, W, C) uint8, 0-255.
        label: Its class in the data set.
    """

    pixels: NDArray[np.uint8]
    label: str


@dataclass(frozen=True)
class Reliability:
    """How often answers of about one probability were right on the test split.

    Attributes:
        examples: Test images with such answers.
        accuracy: Share of them, 0-1, whose class was right.
    """

    examples: int
    accuracy: float


_whole: dict[Path, Predictor] = {}
"""The last model of each folder that could be loaded, for as long as the next one is not whole."""


def names() -> list[str]:
    """Name the experiments that have an exported model, in the order of params.yaml."""
    order = list(_experiments())
    here = paths.export("").resolve()
    held = {folder.name for folder in _whole if folder.parent == here}
    return sorted(
        held.union(model_json.exported()),
        key=lambda name: (order.index(name) if name in order else len(order), name),
    )


def load(name: str) -> Predictor:
    """Load an experiment's model once, and again when it was exported anew.

    While the new one is not whole, DVC having deleted the old, it is the old one.

    Raises:
        ImagoError: It cannot be loaded.
        OSError: The same, where a file cannot be read.
    """
    folder = paths.export(name).resolve()
    try:
        written = (folder / model_json.FILE).stat().st_mtime_ns
        _whole[folder] = _load(folder, written)
    except (ImagoError, OSError) as error:
        if folder not in _whole:
            raise
        _warn_once(f"{name}: answers come from the model before: {error}")
    return _whole[folder]


@functools.lru_cache(maxsize=16)
def _load(folder: Path, _: int) -> Predictor:
    return Predictor(folder)


def models() -> Iterator[tuple[str, Predictor | str]]:
    """Yield each model with its name, or the reason why it cannot be loaded."""
    for name in names():
        try:
            yield name, load(name)
        except (ImagoError, OSError) as error:
            yield name, str(error)


def knows_digits(predictor: Predictor) -> bool:
    """Tell whether all classes of a model are digits."""
    return all(len(name) == 1 and name.isdecimal() for name in predictor.classes)


def is_convolutional(name: str) -> bool:
    """Tell whether an experiment's model has convolutions, and is there to be looked into."""
    experiment = _experiments().get(name)
    has_model = (paths.model(name) / trained.KERAS_FILE).is_file()
    return experiment is not None and experiment.train.convolutional and has_model


def examples(name: str) -> list[Example]:
    """Take the first test images of each class; none where they are not here."""
    experiment = _experiments().get(name)
    if experiment is None:
        return []
    try:
        folder = paths.data(experiment.pixels)
        split, classes = arrays.read_split(folder, "test"), arrays.read_info(folder).classes
    except (ImagoError, OSError):
        return []
    each = max(1, EXAMPLES // len(classes))
    labels = np.asarray(split.labels)
    return [
        Example(np.array(split.images[row]), classes[label])
        for label in range(len(classes))
        for row in np.flatnonzero(labels == label)[:each]
    ]


def metrics(name: str) -> dict[str, Any]:
    """Read an experiment's metrics; none where they are gone or broken."""
    try:
        return summary.read(paths.metrics(name))
    except (ImagoError, OSError):
        return {}


def card(name: str) -> dict[str, Any]:
    """Read an experiment's model card; empty where there is none."""
    return _read_object(paths.card(name))


def reliability(name: str, probability: float) -> Reliability | None:
    """Look up what a probability is worth; None where too few test images, or none, can tell."""
    try:
        with (paths.report(name) / "reliability.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if float(row["confidence_above"]) < probability <= float(row["confidence_to"]):
                    count = int(row["examples"])
                    enough = count >= LEAST_EXAMPLES
                    return Reliability(count, float(row["accuracy"])) if enough else None
    except (OSError, ValueError, KeyError):  # not there, or of another form
        pass
    return None


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _experiments() -> dict[str, Any]:
    if not paths.PARAMS.is_file():  # exports run without the project that made them
        return {}
    try:
        return dict(params.load().experiments)
    except ImagoError as error:
        _warn_once(f"neither examples nor activation maps: {error}")
        return {}


@functools.lru_cache(maxsize=16)
def _warn_once(message: str) -> None:
    log.warning(message)
