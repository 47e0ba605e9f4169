"""Which folders of an archive are splits, told from their names and from what lies within.

[split folder/] [wrapping folders/] class folder/ [more folders/] photo
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from imago.core import photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import split_names

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")

Parts: TypeAlias = tuple[str, ...]
"""The folders in which a photo lies, from the outermost that counts on."""
Inner: TypeAlias = dict[str, Parts]
"""Path of each photo: its folders."""


def read(inner: Inner, where: str) -> dict[str, tuple[SplitName, Parts]]:
    """Return the split of each photo, training first, and its folders from that of its class on.

    Args:
        inner: Path of each photo: its folders below those that all share.
        where: Begins each error.

    Raises:
        DataError: Some photos lie in split folders, and some do not.
    """
    top = subfolders(inner.values())
    if _are_within_classes(top):
        inner = {path: (parts[1], parts[0], *parts[2:]) for path, parts in inner.items()}
        top = subfolders(inner.values())
    split_of = _split_folders(top, where)
    if not split_of:
        return {path: ("train", parts) for path, parts in inner.items()}
    rest: dict[str, Inner] = {
        name: {path: parts[1:] for path, parts in inner.items() if parts[0] == name}
        for name in split_of
    }
    order = sorted(split_of, key=lambda name: SPLITS.index(split_of[name]))
    within = _without_wrapping_of_splits({name: rest[name] for name in order}, split_of)
    return {
        path: (split_of[name], parts)
        for name, some in within.items()
        for path, parts in some.items()
    }


def _are_within_classes(top: Mapping[str, set[str]]) -> bool:
    """Tell whether all that is in any folder is split folders, as in cat/train/1.jpg."""
    inner = set().union(*top.values())
    return (
        bool(inner) and all(map(split_names.exact, inner)) and not any(map(split_names.exact, top))
    )


def _split_folders(top: Mapping[str, set[str]], where: str) -> dict[str, SplitName]:
    """Return the outermost folders that are splits, none where all are classes.

    Raises:
        DataError: Some are and some are not, or nobody can tell.
    """
    exact = {name: split for name in top if (split := split_names.exact(name))}
    likely = {name: split for name in top if (split := split_names.likely(name))}
    others = [name for name in top if name not in likely and not split_names.is_unlabelled(name)]
    if not others and _agree(likely, top):
        return likely
    if not exact or _is_one_a_class(exact, others, top):
        return {}
    if not others and len(exact) == len(likely):
        return exact
    beside = [name for name in top if name not in exact]
    message = (
        f"{where}: all photos or none must lie in split folders, got {listed(list(exact))} beside "
        f"{listed(beside)}; move the others, or rename a class that has a split's name"
    )
    raise DataError(message)


def _agree(likely: Mapping[str, SplitName], top: Mapping[str, set[str]]) -> bool:
    """Tell whether what folders hold says what their names speak of: that they are splits.

    Some training folder holds class folders, and no other one, unless a split's name is its whole
    name or it is doubled, holds folders that no training folder holds.
    """
    held = {name: {photo_names.folded(one) for one in top[name] - {""}} for name in likely}
    trained = set().union(*(held[name] for name, split in likely.items() if split == "train"))
    return bool(trained) and all(
        held[name] <= trained
        or split_names.exact(name)
        or any(split_names.likely(one) == split for one in top[name])
        for name, split in likely.items()
    )


def _is_one_a_class(
    exact: Mapping[str, SplitName], others: Sequence[str], top: Mapping[str, set[str]]
) -> bool:
    """Tell whether a folder that has a split's name is a class, for as a split it makes no sense.

    It holds photos and no class folders, as the others do; and without it one class would be left,
    or it would be training photos without a class.
    """
    if len(exact) != 1 or any(top[name] != {""} for name in (*exact, *others)):
        return False
    return len(others) == 1 or (len(others) > 1 and "train" in exact.values())


def _without_wrapping_of_splits(
    rest: Mapping[str, Inner], split_of: Mapping[str, SplitName]
) -> dict[str, Inner]:
    """Take off the folders around the classes of each split, training first.

    A split folder may be doubled, as in training_set/training_set/cats, or hold one folder that
    holds the classes, as in train/images/cats.
    """
    wrappers: set[str] = set()
    found: dict[str, Inner] = {}
    for name, inner in rest.items():
        some = {path: _undoubled(parts, name) for path, parts in inner.items()}
        while True:
            top = subfolders(some.values())
            if len(top) != 1:
                break
            ((one, below),) = top.items()
            is_split = split_names.likely(one) == split_of[name]
            if not (below - {""}) or not (is_split or one in wrappers or len(below) > 1):
                break
            wrappers.add(one)
            some = {path: parts[1:] for path, parts in some.items()}
        found[name] = some
    return found


def _undoubled(parts: Parts, name: str) -> Parts:
    while parts and (
        photo_names.folded(parts[0]) == photo_names.folded(name)
        or (
            split_names.exact(parts[0]) is not None
            and split_names.exact(parts[0]) == split_names.exact(name)
        )
    ):
        parts = parts[1:]
    return parts


def subfolders(folders: Iterable[Parts]) -> dict[str, set[str]]:
    """Return the folders in each outermost folder; "" stands for photos directly in it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for parts in folders:
        if parts:
            found[parts[0]].add(parts[1] if len(parts) > 1 else "")
    return dict(sorted(found.items()))
