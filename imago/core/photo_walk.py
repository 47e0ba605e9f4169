"""The files in a folder and below, with what their names say of them."""

import os
from collections.abc import Callable, Iterator

from imago.core import photo_names


def files(folder: str, fail: Callable[[OSError], object]) -> Iterator[tuple[str, str | None]]:
    """Yield each file and folder by its path below `folder`, and why it is no photo to be used.

    Links to folders are followed, and each folder is looked into once, whatever leads to it. The
    path of a folder ends in /; one that cannot hold photos to be used is not looked into.

    Args:
        folder: Where to begin.
        fail: Called with the error of each folder that cannot be looked into.
    """
    seen: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        found = os.stat(parent)  # noqa: PTH116 - a Path would cost more than the rest
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        below = os.path.relpath(parent, folder).replace(os.sep, "/")
        start = "" if below == "." else f"{below}/"
        reasons = {name: photo_names.reason_against_folder(name) for name in sorted(folders)}
        folders[:] = [name for name, reason in reasons.items() if reason is None]
        yield from ((f"{start}{name}/", reason) for name, reason in reasons.items())
        yield from ((f"{start}{name}", photo_names.reason_against(name)) for name in sorted(names))
