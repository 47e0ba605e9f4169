"""The images of two tables of predictions, in pairs."""

import pandas as pd

from imago.core.errors import GateError
from imago.scoring.predictions import Predictions


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
