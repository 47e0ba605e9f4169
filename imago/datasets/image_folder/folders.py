"""Which split and class each photo of an archive belongs to, told from its folders alone.

    [wrapping folders/] [split folder/] class folder/ [more folders/] photo

Wrapping folders are those that all photos share, and those that all photos of a split share.
Folders within a class folder belong to the class. Where folders can be read in two ways, nothing
is guessed: the error says which, and what to do.
"""

import functools
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from imago.core import photo_names
from imago.datasets.image_folder import folder_checks, split_folders, split_names
from imago.datasets.image_folder.arrangement import COPY, NO_CLASS, NO_LABEL, Arrangement, Place
from imago.datasets.image_folder.split_folders import Inner, Parts


def arrange(
    paths: Sequence[str], where: str, *, for_training: bool = True, known: Iterable[str] = ()
) -> Arrangement:
    """Tell photos from other files, and find the split and the class of each.

    Args:
        paths: Of all files in the archive, with / between folders; and of folders, which end in /.
        where: Begins each error.
        for_training: Whether there must be two classes, with training photos of each.
        known: Names of classes; a folder that is called so may hold all photos there are.

    Raises:
        DataError: The photos do not lie in folders of two or more classes; some lie in split
            folders and some do not; a class has no training photos where it must, or none at all;
            or the folders can be read in two ways.
    """
    files = [path for path in paths if not path.endswith("/")]
    unused = {path: why for path in files if (why := photo_names.reason_against(path))}
    photos = [path for path in files if path not in unused]
    unused |= dict.fromkeys(_copies(photos), COPY)
    rest = [path for path in photos if path not in unused]
    # Where the folders that all share are all that there are, one may be a class that is known.
    inner = _without_wrapping(rest) or _without_wrapping(rest, {_folded(name) for name in known})
    splits = split_folders.read(inner, where)
    places: dict[str, Place] = {}
    names: dict[str, str] = {}  # of classes, as the training photos spell them
    for path, (split, parts) in splits.items():  # training first
        if parts and split_names.is_without_label(parts[0]):
            unused[path] = NO_LABEL
        elif parts:
            places[path] = Place(split, names.setdefault(_folded(parts[0]), parts[0].strip()))
    unused |= _passed_over(paths, unused)
    strays = [path for path in photos if path not in places and path not in unused]
    unused |= dict.fromkeys(strays, NO_CLASS)
    arrangement = Arrangement({path: places[path] for path in photos if path in places}, unused)
    folder_checks.check_classes(arrangement, where, for_training)
    folder_checks.check_depths([parts for _, parts in splits.values()], where)
    named = [path for path in paths if path.endswith("/")]
    folder_checks.check_no_class_is_empty(named, splits, arrangement, where)
    return arrangement


def _copies(photos: list[str]) -> list[str]:
    """Find the photos of folders which hold again what lies beside them, and nothing else.

    Such as flowers/flowers/rose/1.jpg, where there is flowers/rose/1.jpg, and the same for all
    others in flowers/flowers: whoever packed it has packed it twice.
    """
    deepest = {_folders(path) for path in photos}
    folders = {parts[:depth] for parts in deepest for depth in range(len(parts) + 1)}
    doubtful = {
        folder[:-1]
        for folder in folders
        if len(folder) > 1
        and (*folder[:-2], folder[-1]) in folders
        and not split_names.likely(folder[-2])
    }
    there = set(photos)
    within: defaultdict[Parts, list[str]] = defaultdict(list)
    for path in photos if doubtful else ():
        parts = _folders(path)
        for depth in range(1, len(parts) + 1):
            if parts[:depth] in doubtful:
                within[parts[:depth]].append(path)
    return [
        path
        for folder, paths in within.items()
        if all(folder != _folders(one) and _without(folder, one) in there for one in paths)
        for path in paths
    ]


def _passed_over(paths: Sequence[str], unused: Collection[str]) -> dict[str, str]:
    """Return the folders that nobody has looked into, such as hidden ones on disk, and why."""
    reasons = {
        path: photo_names.reason_against_folder(path.split("/")[-2])
        for path in paths
        if path.endswith("/")
    }
    return {
        path: reason
        for path, reason in reasons.items()
        if reason and not any(file.startswith(path) for file in unused)
    }


@functools.cache
def _folded(name: str) -> str:
    return photo_names.folded(name.strip())


def _folders(path: str) -> Parts:
    return _parts(path.rpartition("/")[0])


@functools.cache
def _parts(folder: str) -> Parts:
    """Return the folders of a path, the same object for all photos in one."""
    return tuple(folder.split("/")) if folder else ()


def _without(folder: Parts, path: str) -> str:
    """Return the path that a photo in a folder has beside that folder."""
    parts = path.split("/")
    return "/".join([*parts[: len(folder) - 1], *parts[len(folder) :]])


def _without_wrapping(paths: list[str], classes: Collection[str] = ()) -> Inner:
    """Return the folders of each photo below those that all share and that are no classes.

    A photo that lies directly in the shared folders is in no class folder, and is left out.
    """
    inner = {path: _folders(path) for path in paths}
    while inner:
        first = min(inner.values())
        shared = _shared(first, max(inner.values()))  # and so all between them do
        of_class = [at for at, name in enumerate(first[:shared]) if _folded(name) in classes]
        shared = of_class[-1] if of_class else shared
        deeper = {path: parts[shared:] for path, parts in inner.items() if len(parts) > shared}
        if len(deeper) == len(inner):
            return deeper
        inner = deeper  # what remains may share more folders
    return inner


def _shared(some: Parts, others: Parts) -> int:
    """Count the folders that two paths share at their beginnings."""
    pairs = zip(some, others, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
