"""Decisions on the photos of a data set: a first draft from what the stage inspect found."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from imago import params
from imago.core import files, paths
from imago.core.errors import DataError, ParamsError
from imago.datasets.image_folder import decisions, folders
from imago.datasets.image_folder.decisions import Decision
from imago.datasets.image_folder.settings import TABLES
from imago.params import Params
from imago.project import pins, yaml_text
from imago.sources import photo_folders

RELABEL_FROM, DROP_FROM = 0.7, 0.5
"""Probability of another class from which a draft takes that for the label, or drops the photo. Of
75 wrong labels in 1,540, test photos too, these put 64 right and dropped 11; of the right ones they
changed 8 and dropped 20, photos that are hard to tell."""


@dataclass(frozen=True)
class Taken:
    """What was taken up.

    Attributes:
        path: The table.
        decided: All of them; none where there is nothing to draft, and no table is written.
        is_draft: Whether the table is new.
        unsure: Suspects that a draft leaves out, as none is sure enough.
        of_test: Suspects that it leaves out, as they are test photos.
        page: What lists them.
    """

    path: Path
    decided: list[Decision]
    is_draft: bool
    unsure: int = 0
    of_test: int = 0
    page: Path | None = None


def take_up(dataset: str) -> Taken:
    """Write a draft of a data set's decisions, or check those that are there; pin them.

    Args:
        dataset: In the section `datasets`, of the layout image_folder.

    Raises:
        DataError: There is nothing to draft from, or a row breaks a rule.
        ParamsError: There is no such data set, or params.yaml breaks a rule.
    """
    settings = params.load()
    found = params.pick(settings.datasets, "data set", dataset)
    if found.layout != pins.LAYOUT:
        message = (
            f"{paths.PARAMS}: datasets.{dataset}: decisions are on photos, got layout "
            f"{found.layout}"
        )
        raise ParamsError(message)
    table = paths.decisions(dataset)
    is_draft = not table.exists()
    listed = _listed(dataset, found.files)
    left = {}
    if is_draft:
        folder = _inspected(dataset, settings)
        # What was found may be of before photos were taken out.
        still = [one for one in draft(folder) if listed is None or one.photo in listed]
        left = _left_out(folder)
        if not still:
            return Taken(table, [], is_draft, **left)
        decisions.write(table, still)
    decided = decisions.read(table)
    if listed is not None:
        by_folders = len(found.files) == 1  # and by no table
        classes = folders.arrange(list(listed), dataset).counts() if by_folders else None
        decisions.check(table, decided, {*listed, *listed.values()}, classes)
    keys = ["datasets", dataset, "extract", "decisions_sha256"]
    text = yaml_text.put(paths.PARAMS.read_bytes().decode(), keys, files.sha256(table))
    params.parse(text)
    files.write_text(paths.PARAMS, text)
    return Taken(table, decided, is_draft, **left)


def _listed(dataset: str, names: Iterable[str]) -> dict[str, str] | None:
    """Return the sha256 of each photo, by its path, of a data set that is a folder of photos."""
    archives = [name for name in names if not name.lower().endswith(TABLES)]
    listing = paths.listing(dataset)
    is_folder = len(archives) == 1 and listing.exists()
    return photo_folders.read_listing(listing) if is_folder else None


def _inspected(dataset: str, settings: Params) -> Path:
    """Return the folder of what was found in a data set."""
    names = [
        name
        for name, features in settings.features.items()
        if settings.prepare[features.variant].dataset == dataset
    ]
    there = [paths.inspection(name) for name in names if paths.inspection(name).is_dir()]
    if not there:
        targets = " ".join(f"inspect@{name}" for name in names)
        message = (
            f"{dataset}: nobody has looked at it yet; run `dvc repro {targets}`"
            if names
            else f"{dataset}: no features are of it, by which to look at it; add an experiment on "
            "features, or write the table by hand"
        )
        raise DataError(message)
    return there[0]


def draft(folder: Path) -> list[Decision]:
    """Make decisions of what was found: to be looked at, and changed, by a person.

    No test photo is dropped or labelled anew because a model doubts it: what is left would look
    easier than what comes.

    Args:
        folder: What the stage inspect wrote.
    """
    made = {}
    suspects, is_sure = _suspects(folder)
    for row in suspects[is_sure & (suspects["split"] != "test")].to_dict("records"):
        why = f"rather {row['suggested']}, {row['probability']:.0%}"
        relabels = row["probability"] >= RELABEL_FROM
        made[row["path"]] = Decision(
            row["path"], "label" if relabels else "drop", row["suggested"] if relabels else "", why
        )
    for row in _read(folder, "duplicates.csv").to_dict("records"):
        both = row["path"], row["other_path"]
        if row["class"] != row["other_class"] and made.keys().isdisjoint(both):
            labels = f"{row['class']} and {row['other_class']}"
            made |= {one: Decision(one, "drop", "", f"one picture as {labels}") for one in both}
        elif row["split"] != row["other_split"] and row["class"] == row["other_class"]:
            learnt, kept = both  # train before validation before test
            why = f"the same picture as {kept}, in another split"
            made.setdefault(learnt, Decision(learnt, "drop", "", why))
    return list(made.values())


def _left_out(folder: Path) -> dict[str, Any]:
    """Count the suspects that a draft leaves out."""
    suspects, is_sure = _suspects(folder)
    is_test = suspects["split"] == "test"
    return {
        "unsure": int((~is_test & ~is_sure).sum()),
        "of_test": int(is_test.sum()),
        "page": folder / "index.html",
    }


def _suspects(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Return the suspects, and of which of them a draft is sure enough."""
    suspects = _read(folder, "suspects.csv").astype({"probability": float})
    return suspects, suspects["probability"] >= DROP_FROM


def _read(folder: Path, name: str) -> pd.DataFrame:
    """Read a table as text, for a class can be named 7, NA or true."""
    return pd.read_csv(folder / name, keep_default_na=False, dtype=str)
