"""Which split and class each photo of an archive belongs to, told from its folders alone.

    [wrapping folders/] [split folder/] class folder/ [more folders/] photo

Wrapping folders are those that all photos share. Folders within a class folder belong to the class.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from imago.core.errors import DataError
from imago.data.arrays import SplitName
from imago.photos import decoding

SPLITS: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "training_set": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "test_set": "test",
    "testing": "test",
}
"""What folders that hold class folders may be called, in any case."""

DROPPINGS = {"__macosx", ".ds_store", "_ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"}
"""Files and folders that operating systems leave behind, in lower case."""
RESOURCE_FORK = "._"
"""Begins the name of a file in which macOS keeps what other file systems have no place for."""

SHOWN = 3
"""Names that an error lists of many."""


class Place(NamedTuple):
    """Where a photo belongs; where there are no split folders, everything is for training."""

    split: SplitName
    class_name: str


@dataclass(frozen=True)
class Arrangement:
    """What the folders of an archive say.

    Attributes:
        places: Path of each photo, in the order given: where it belongs.
        unused: Path of each other file: why it is left out.
    """

    places: dict[str, Place]
    unused: dict[str, str]

    def classes(self, split: SplitName) -> list[str]:
        """Return the names of the classes that have photos in `split`, sorted."""
        return sorted({place.class_name for place in self.places.values() if place.split == split})


def arrange(paths: Sequence[str], where: str) -> Arrangement:
    """Tell photos from other files, and find the split and the class of each.

    Args:
        paths: Of all files in the archive, with / between folders.
        where: Begins each error.

    Raises:
        DataError: The photos do not lie in folders of two or more classes; some lie in split
            folders and some do not; or a class is not among those of the training photos.
    """
    unused = {path: reason for path in paths if (reason := _reason_against(path))}
    inner = _without_wrapping([path for path in paths if path not in unused])
    _check_split_folders(inner, where)
    arrangement = Arrangement({}, unused)
    for path in paths:
        if path in unused:
            continue
        split, rest = _split(inner.get(path, ()))
        if rest:
            arrangement.places[path] = Place(split, rest[0])
        else:
            unused[path] = "lies in no class folder"
    _check_classes(arrangement, where)
    return arrangement


def _reason_against(path: str) -> str | None:
    parts = path.lower().split("/")
    if not DROPPINGS.isdisjoint(parts) or parts[-1].startswith(RESOURCE_FORK):
        return "left by an operating system"
    if PurePosixPath(parts[-1]).suffix not in decoding.SUFFIXES:
        return "no image by its name"
    return None


def _without_wrapping(paths: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the folders of each photo below those that all share.

    A photo that lies directly in the shared folders is in no class folder, and is left out.
    """
    inner = {path: tuple(path.split("/")[:-1]) for path in paths}
    while inner:
        shared = _shared(min(inner.values()), max(inner.values()))  # and so all between them do
        deeper = {path: parts[shared:] for path, parts in inner.items() if len(parts) > shared}
        if len(deeper) == len(inner):
            return deeper
        inner = deeper  # what remains may share more folders
    return inner


def _shared(some: tuple[str, ...], others: tuple[str, ...]) -> int:
    """Count the folders that two paths share at their beginnings."""
    pairs = zip(some, others, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _split(parts: tuple[str, ...]) -> tuple[SplitName, tuple[str, ...]]:
    """Take the split folder off, which may be doubled, as in training_set/training_set/cats."""
    split = SPLITS.get(parts[0].casefold()) if parts else None
    if split is None:
        return "train", parts
    while parts and SPLITS.get(parts[0].casefold()) == split:
        parts = parts[1:]
    return split, parts


def _check_split_folders(inner: dict[str, tuple[str, ...]], where: str) -> None:
    first = {parts[0] for parts in inner.values()}
    splits = sorted(name for name in first if name.casefold() in SPLITS)
    others = sorted(first - set(splits))
    if splits and others:
        message = (
            f"{where}: all photos or none must lie in split folders, got {listed(splits)} beside "
            f"{listed(others)}; move the others, or rename a class that has a split's name"
        )
        raise DataError(message)
    second = {parts[1].casefold() if len(parts) > 1 else "" for parts in inner.values()}
    if second and not splits and second <= SPLITS.keys():
        message = (
            f"{where}: split folders must hold class folders, got {listed(sorted(second))} within "
            f"{listed(others)}; swap the folders, such as train/{others[0]}"
        )
        raise DataError(message)


def _check_classes(arrangement: Arrangement, where: str) -> None:
    classes = arrangement.classes("train")
    if len(classes) < 2:
        strays = [path for path, why in arrangement.unused.items() if why.startswith("lies")]
        found = listed(classes) if classes else "none"
        beside = f" and photos outside, such as {listed(strays)}" if strays else ""
        message = (
            f"{where}: must have a folder with photos for each of two or more classes, got "
            f"{found}{beside}; names of photos end in one of {' '.join(sorted(decoding.SUFFIXES))}"
        )
        raise DataError(message)
    for split in ("validation", "test"):
        if strange := [name for name in arrangement.classes(split) if name not in classes]:
            message = (
                f"{where}: every class must have training photos, got only {split} photos of "
                f"{listed(strange)}; training has {listed(classes)}"
            )
            raise DataError(message)


def listed(names: Sequence[str], shown: int = SHOWN) -> str:
    """Say a few of many names."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more:,} more" if more > 0 else "")
