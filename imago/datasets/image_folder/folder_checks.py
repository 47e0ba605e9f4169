"""Folders that make no sense as classes, or that can be read in two ways."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from imago.core import photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import split_names
from imago.datasets.image_folder.arrangement import COPY, NO_CLASS, NO_LABEL, Arrangement
from imago.datasets.image_folder.settings import TABLES
from imago.datasets.image_folder.split_folders import Parts, subfolders

_OF_CVAT = {"annotations.xml", "synsets.txt"}
"""Beside photos without folders of classes, or in their place: exports that hold no such folders.
Source: CVAT's documentation, CVAT for images and ImageNet."""


def check_classes(arrangement: Arrangement, where: str, for_training: bool = True) -> None:
    """Check that there are photos, and for training two classes with training photos of each."""
    every = arrangement.counts()
    classes = arrangement.classes("train") if for_training else list(every)
    if len(every) < (2 if for_training else 1):
        rule = "must have a folder with photos for each "
        rule += "of two or more classes, got" if for_training else "class, got"
        message = f"{where}: {_why_no_classes(list(every), arrangement, rule)}"
        raise DataError(message)
    if untaught := [name for name in every if name not in classes]:
        there = {split for name in untaught for split in every[name]}
        splits = " and ".join(split for split in ("validation", "test") if split in there)
        message = (
            f"{where}: every class must have training photos, got only {splits} photos of "
            f"{listed(untaught)}; training has {listed(classes) or 'none'}"
        )
        raise DataError(message)


def _why_no_classes(classes: list[str], arrangement: Arrangement, rule: str) -> str:
    """Say what there is in place of the classes that a rule wants, and what to do."""
    unused = arrangement.unused
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for path, why in unused.items():
        by_reason[why.partition(":")[0]].append(path)
    archives, unread = by_reason[photo_names.ARCHIVE], by_reason[photo_names.UNREAD]
    if not classes and archives:
        return f"{rule} archives within: {listed(archives)}; unpack it, and add what is in them"
    found = listed(classes) if classes else "none"
    if strays := by_reason[NO_CLASS]:
        folders = {path.rpartition("/")[0].rpartition("/")[2] for path in strays}
        if not classes and len(folders) == 1 and folders != {""}:
            found = f"{folders.pop()} alone, with {listed(strays)}"
        else:
            found += f" and photos outside, such as {listed(strays)}"
    if unread:
        found += f" and files of kinds that are not read, such as {listed(unread)}; convert them"
    if lists := [path for path in unused if path.lower().endswith(TABLES)]:
        found += f"; if {listed(lists, 1)} says the classes, take it out and add it beside"
    if any(path.rpartition("/")[2] in _OF_CVAT for path in unused):
        found += "; of CVAT, export the format ImageNet with its images"
    suffixes = " ".join(sorted(photo_names.SUFFIXES))
    return f"{rule} {found}; names of photos end in one of {suffixes}"


def check_depths(folders: Iterable[Parts], where: str) -> None:
    """Find folders of which nobody can tell whether they are classes or hold classes.

    Args:
        folders: Of each photo, from that of its class on.
        where: Begins the error.
    """
    top = subfolders(folders)
    flat = [name for name, below in top.items() if below == {""}]
    nested = {name: below for name, below in top.items() if len(below) > 1 and "" not in below}
    if flat and nested:
        name, below = next(iter(nested.items()))
        message = (
            f"{where}: class folders must hold photos at one depth, got {listed(flat)}, with "
            f"photos, beside {name}, with the folders {listed(sorted(below))}; if these are the "
            f"classes, take out {listed(flat)}, or move it into {name}; else put the photos of "
            f"{name} directly into it"
        )
        raise DataError(message)
    repeated = set.intersection(*nested.values()) if len(nested) == len(top) > 1 else set()
    if len(repeated) > 1:
        message = (
            f"{where}: class folders must not repeat each other's folders, got "
            f"{listed(sorted(repeated))} in each of {listed(list(nested))}; if those are the "
            "classes, put the photos of each into one folder, or call the outer ones train and "
            "test; else put the photos directly into the outer ones"
        )
        raise DataError(message)


def check_no_class_is_empty(
    folders: Iterable[str],
    splits: Mapping[str, tuple[SplitName, Parts]],
    arrangement: Arrangement,
    where: str,
) -> None:
    """Find folders beside those of classes in which nothing can be used.

    One with documents alone is taken for what it is.

    Args:
        folders: Those that the archive names by themselves; each ends in /.
        splits: Path of each photo: its split, and its folders from that of its class on.
        arrangement: What came of it.
        where: Begins the error.
    """
    depths = {(path.rpartition("/")[0], len(splits[path][1])) for path in arrangement.places}
    around = {tuple(folder.split("/")[:-depth]) for folder, depth in depths}
    names = {place.class_name for place in arrangement.places.values()}
    classes = {photo_names.folded(name) for name in names}
    empty = {
        folder: files
        for folder, files in _beside_classes([*arrangement.unused, *folders], around)
        if _may_be_a_class(folder) and photo_names.folded(folder.strip()) not in classes
        if _is_without_photos(arrangement.unused[path] for path in files)
        if not files or not all(map(photo_names.is_document, files))
    }
    if empty:
        files = [path for some in empty.values() for path in some]
        found = f", but files such as {listed(files, 1)}" if files else ""
        message = (
            f"{where}: every class folder must have photos, got none in {listed(sorted(empty))}"
            f"{found}; add photos, converted to JPEG if need be, or remove the folder"
        )
        raise DataError(message)


def _beside_classes(
    paths: Iterable[str], around: Collection[Parts]
) -> Iterator[tuple[str, list[str]]]:
    """Yield the folders that lie in those around the classes, each with the files in it."""
    held: defaultdict[Parts, list[str]] = defaultdict(list)
    for path in paths:
        *parents, name = path.split("/")
        for outer in around:
            if tuple(parents[: len(outer)]) == outer and len(parents) > len(outer):
                held[tuple(parents[: len(outer) + 1])] += [path] if name else []
    return ((folder[-1], files) for folder, files in held.items())


def _is_without_photos(reasons: Iterable[str]) -> bool:
    """Tell by why files are left out whether none was a photo that could be of a class."""
    return not any(reason in (NO_CLASS, COPY, NO_LABEL) for reason in reasons)


def _may_be_a_class(folder: str) -> bool:
    return not (
        photo_names.reason_against_folder(folder)
        or split_names.likely(folder)
        or split_names.is_unlabelled(folder)
    )
