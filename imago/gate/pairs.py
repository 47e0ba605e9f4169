"""The images of two tables of predictions, in pairs."""

from collections import Counter
from typing import NamedTuple

import pandas as pd

from imago.core.errors import GateError
from imago.scoring.predictions import Predictions


class Pair(NamedTuple):
    """Two tables of which row i is of one image.

    Attributes:
        base: Before.
        here: Now.
        new: How many images are in the test split since, and are left out.
    """

    base: Predictions
    here: Predictions
    new: int


def pair(base: Predictions, here: Predictions) -> Pair:
    """Sort two tables so that row i of both is of one image.

    Where photos have been added, some of them are for the test, and all of before still are. What
    was taken out of the test could have been what the model gets wrong, so that is refused.

    Raises:
        GateError: An image of the base is not here, or has another true class, or classes differ.
    """
    before, now = _keys(base), _keys(here)
    if difference := _difference(base, here, before, now):
        message = (
            f"the test splits differ: {difference}; there is no telling whether it is worse: look "
            "at both reports, or score both on the same photos with `imago score`"
        )
        raise GateError(message)
    is_old = now.isin(before)
    return Pair(base.ordered(), here.ordered().taken(is_old), int((~is_old).sum()))


def _difference(
    base: Predictions, here: Predictions, before: pd.MultiIndex, now: pd.MultiIndex
) -> str:
    """Say what keeps two test splits from being compared; nothing if they can be."""
    if base.classes != here.classes:
        return f"classes {_listed(base.classes)} in the base, {_listed(here.classes)} here"
    gone, new = (
        Counter(keys.get_level_values("image"))
        for keys in (before.difference(now), now.difference(before))
    )
    relabelled = (gone & new).total()
    found = [
        (gone.total() - relabelled, "images only in the base"),
        (new.total() - relabelled if gone.total() > relabelled else 0, "images only here"),
        (relabelled, "images with another true class"),
    ]
    return ", ".join(f"{count:,} {what}" for count, what in found if count)


def _keys(predictions: Predictions) -> pd.MultiIndex:
    """Return what each image is found by, in order: it, its label, and which of such it is."""
    ordered = predictions.ordered()
    table = pd.DataFrame({"image": ordered.images, "label": ordered.labels})
    table["occurrence"] = table.groupby(["image", "label"]).cumcount()
    return pd.MultiIndex.from_frame(table)


def _listed(names: tuple[str, ...], shown: int = 5) -> str:
    more = [f"… ({len(names)})"] if len(names) > shown else []
    return ", ".join([*names[:shown], *more])
