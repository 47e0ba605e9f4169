"""Folders on disk, read as archives are."""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from imago.core import photo_walk
from imago.core.errors import DataError
from imago.datasets.image_folder.archive import (
    Archive,
    Limits,
    check_names_differ,
    fault_in_name,
    shown,
    tidied,
)
from imago.photos import image_files
from imago.photos.decoding import UnreadableError


@contextlib.contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Archive]:
    """Open a folder whose names keep the rules of archives.

    Raises:
        DataError: A folder within cannot be looked into, or a name breaks a rule.
    """
    failed: list[OSError] = []
    # A folder that is passed over stands for all that is in it.
    found = [name for name, _ in photo_walk.files(str(path), failed.append)]
    for error in failed:
        message = f"{error.filename}: cannot be read: {error.strerror}"
        raise DataError(message) from error
    for name in found:
        if fault := _fault(name, limits):
            message = f"{path}: {shown(name)}: {fault}"
            raise DataError(message)
    check_names_differ(str(path), found)
    by_name = {tidied(name): name for name in found}
    yield Archive(
        files=sorted(name for name in by_name if not name.endswith("/")),
        folders=sorted(name for name in by_name if name.endswith("/")),
        read=functools.partial(_read, path, by_name),
    )


def _fault(name: str, limits: Limits) -> str | None:
    try:
        os.fsencode(name).decode()
    except UnicodeDecodeError:
        return "name must be UTF-8; rename it, such as with `convmv`"
    if "\\" in name:
        return "name must have no \\, which parts folders on Windows; rename it"
    return fault_in_name(name, limits)


def _read(folder: Path, names: dict[str, str], name: str) -> bytes:
    path = folder / names[name]
    try:
        return image_files.read(path)
    except (OSError, UnreadableError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"{path}: cannot be read: {reason}; mend it or remove it"
        raise DataError(message) from error
