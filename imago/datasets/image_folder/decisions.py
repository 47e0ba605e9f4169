"""What a person decided of photos: which are not to be used, and which have another label.

decisions/<data set>.csv   photo, decision, label, why

photo      its path in the data set, or the sha256 of its bytes, which holds wherever it lies
decision   drop, or label
label      of `label`: the right one, which some training photo has
why        for whoever reads it later; may be empty
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imago.core import files, photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.datasets.image_folder import delimited
from imago.datasets.image_folder.inspection import Photo

COLUMNS = ("photo", "decision", "label", "why")
CLASSES_SHOWN, FAULTS_SHOWN = 20, 5
DROPPED = "dropped by decision"
"""Begins the reason for which a dropped photo is set aside."""


@dataclass(frozen=True)
class Decision:
    """On one photo.

    Attributes:
        photo: Its path, or the sha256 of its bytes.
        decision: What is to be done.
        label: The right one; empty where the photo is dropped.
        why: In words.
    """

    photo: str
    decision: Literal["drop", "label"]
    label: str
    why: str


def read(path: Path) -> list[Decision]:
    """Read a table of decisions.

    Raises:
        DataError: It is missing, or a row breaks a rule; the message says which.
    """
    try:
        header, lines = delimited.read(path.read_bytes(), str(path))
    except FileNotFoundError as error:
        message = (
            f"{path}: not found; `git restore {path}` brings it back, `imago decide {path.stem}` "
            "gives up what was decided"
        )
        raise DataError(message) from error
    names = [name.strip().lower() for name in header]
    if set(COLUMNS) - set(names):
        found = ", ".join(header) or "none"
        message = (
            f"{path}: must have the columns {', '.join(COLUMNS)}, got {found}; name them so in its "
            "first line"
        )
        raise DataError(message)
    return [
        _decision(f"{path}: line {number}", dict(zip(names, cells, strict=False)))
        for number, cells in lines
    ]


def _decision(where: str, row: Mapping[str, str]) -> Decision:
    photo, decision, label, why = (row.get(column, "").strip() for column in COLUMNS)
    match decision:
        case "drop" | "label" if bool(label) == (decision == "label") and photo:
            return Decision(photo, decision, label, why)
        case "drop" | "label" if photo:
            rule = "have no label" if decision == "drop" else "have the right label"
            message = f"{where}: {photo}: {decision} must {rule}, got {label!r}"
        case _:
            message = f"{where}: must have a photo, and drop or label, got {photo!r}, {decision!r}"
    raise DataError(message)


def verify(path: Path, sha256: str) -> None:
    """Compare a table with the digest that params.yaml has. Raises DataError."""
    if path.is_file() and files.sha256(path) != sha256:
        message = (
            f"{path}: changed since params.yaml took it up; `imago decide {path.stem}` checks it "
            "and takes it up"
        )
        raise DataError(message)


def apply(
    where: Path,
    photos: Sequence[Photo],
    decisions: Iterable[Decision],
    classes: Iterable[str],
    unreadable: Iterable[str] = (),
) -> tuple[list[Photo], dict[str, str]]:
    """Do what was decided.

    Args:
        where: The table, for messages.
        photos: All that can be used.
        decisions: The last one on a photo holds.
        classes: Names of all.
        unreadable: Paths of photos that cannot be used anyway: decisions on them change nothing.

    Returns:
        The photos that are left, with the right labels; and why each other one is set aside.

    Raises:
        DataError: A decision is on a photo or a class that there is not.
    """
    known = {photo_names.folded(name): name for name in classes}
    decisions = list(decisions)
    called: dict[str, list[Photo]] = {photo_names.folded(one.photo): [] for one in decisions}
    for photo in photos if decisions else ():
        for name in (photo.path, photo.sha256.hex()):
            if (said := photo_names.folded(name)) in called:
                called[said].append(photo)
    changed: dict[str, Photo | None] = {}
    dropped: dict[str, str] = {}
    there = [name for name, on in called.items() if on]
    check(where, decisions, [*there, *unreadable], list(known.values()))
    for one in decisions:
        for photo in called[photo_names.folded(one.photo)]:
            dropped.pop(photo.path, None)
            if one.decision == "drop":
                changed[photo.path] = None
                dropped[photo.path] = f"{DROPPED}: {one.why}" if one.why else DROPPED
            else:
                label = known[photo_names.folded(one.label)]
                changed[photo.path] = dataclasses.replace(photo, class_name=label)
    left = (changed.get(photo.path, photo) for photo in photos)
    return [photo for photo in left if photo is not None], dropped


def check(
    where: Path,
    decisions: Iterable[Decision],
    photos: Iterable[str],
    classes: Collection[str] | None,
) -> None:
    """Check that decisions are on what there is.

    Args:
        where: The table, for messages.
        decisions: All of them.
        photos: Paths of photos, and digests; in neither case counts, by which no two differ.
        classes: Names of all, of which case does not count; None where they are not known.

    Raises:
        DataError: Some are on a photo or a class that there is not; the message lists them.
    """
    faults = []
    there = set(map(photo_names.folded, photos))
    labels = None if classes is None else set(map(photo_names.folded, classes))
    for one in decisions:
        if photo_names.folded(one.photo) not in there:
            faults.append(f"{one.photo}: must be on a photo that is used, got none")
        elif one.label and labels is not None and photo_names.folded(one.label) not in labels:
            known = listed(sorted(classes or ()), CLASSES_SHOWN)
            faults.append(f"{one.photo}: must be on a class, one of {known}, got {one.label}")
    if faults:
        more = len(faults) - FAULTS_SHOWN
        others = [f"so are {more:,} more"] if more > 0 else []
        message = (
            f"{where}: {'; '.join([*faults[:FAULTS_SHOWN], *others])}; "
            f"{'correct the row or take it out' if len(faults) == 1 else 'correct these rows'}"
        )
        raise DataError(message)


def write(path: Path, decisions: Iterable[Decision]) -> None:
    """Write a table."""
    files.write_rows(path, COLUMNS, map(dataclasses.astuple, decisions))
