"""All photos of a data set: its archives as one, and what its folders or its table say of them."""

import contextlib
import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from imago.core import workers
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.datasets.image_folder import archives, folders, split_names, tables
from imago.datasets.image_folder.archive import GENEROUS, Archive, Limits
from imago.datasets.image_folder.arrangement import Arrangement


@contextlib.contextmanager
def opened(
    paths: Sequence[Path],
    where: str,
    limits: Limits = GENEROUS,
    *,
    for_training: bool = True,
    known: Iterable[str] = (),
) -> Iterator[tuple[Archive, Arrangement]]:
    """Open the archives and folders of a data set, and arrange their photos.

    Args:
        paths: One or more archives and folders, and at most one table.
        where: Begins errors of several.
        limits: On each archive.
        for_training: Whether there must be two classes, with training photos of each.
        known: Names of classes; see `folders.arrange`.

    Raises:
        DataError: One of them cannot be used, or their photos cannot be arranged.
    """
    of_photos, of_tables = told_apart(paths)
    with contextlib.ExitStack() as stack:
        every = {path: stack.enter_context(archives.opened(path, limits)) for path in of_photos}
        archive = next(iter(every.values())) if len(every) == 1 else _joined(every, where)
        again = functools.partial(_again, [path.absolute() for path in paths], where, limits)
        archive = dataclasses.replace(archive, reopen=again)
        if of_tables:
            table, where = tables.read(of_tables[0]), str(of_tables[0])
            found = tables.arrange(table.rows, archive.files, where, for_training=for_training)
            yield archive, dataclasses.replace(found, table=table.summary())
            return
        where = str(of_photos[0]) if len(of_photos) == 1 else where
        names = [*archive.files, *archive.folders]
        yield archive, folders.arrange(names, where, for_training=for_training, known=known)


def _again(paths: Sequence[Path], where: str, limits: Limits) -> Archive:
    """Open archives for a task in another process, where they stay open for the next tasks."""

    def load() -> tuple[contextlib.ExitStack, Archive]:
        stack = contextlib.ExitStack()
        archive, _ = stack.enter_context(opened(paths, where, limits, for_training=False))
        return stack, archive

    states = [path.stat() for path in paths]
    key = repr([paths, limits, [(state.st_mtime_ns, state.st_ino) for state in states]])
    return workers.loaded(load, key)[1]


def told_apart(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the archives and folders, one or more, and the tables, at most one.

    Raises:
        DataError: There are others.
    """
    of_tables = [path for path in paths if tables.is_table(path) and not path.is_dir()]
    if unread := [path for path in paths if tables.is_unread(path) and not path.is_dir()]:
        message = (
            f"{unread[0]}: a table must be CSV, TSV, Parquet or Label Studio's JSON-MIN, got "
            f"{unread[0].suffix}; save it as CSV"
        )
        raise DataError(message)
    of_photos = [path for path in paths if path not in of_tables]
    told = listed([str(path) for path in of_tables])
    if not of_photos:
        message = f"{told} is a table; name the folder or the archive of its photos beside it"
        raise DataError(message)
    if len(of_tables) > 1:
        message = f"one table alone may say what is what, got {told}; put their rows into one"
        raise DataError(message)
    return of_photos, of_tables


def _joined(found: Mapping[Path, Archive], where: str) -> Archive:
    """Return several archives as one.

    Where all are called as splits, or one holds photos outside of folders, the name of each is that
    of a folder around its files; else their folders are the same ones.
    """
    names = {path: _stem(path) for path in found}
    is_apart = all(map(split_names.likely, names.values())) or any(
        "/" not in file for archive in found.values() for file in archive.files
    )
    start = {path: f"{name}/" if is_apart else "" for path, name in names.items()}
    files = {
        f"{start[path]}{file}": (archive, file)
        for path, archive in found.items()
        for file in archive.files
    }
    if len(files) != sum(len(archive.files) for archive in found.values()):
        every = Counter(f"{start[path]}{file}" for path in found for file in found[path].files)
        twice = [name for name, count in every.items() if count > 1]
        message = (
            f"{where}: a path must be in one archive, got {listed(twice)} in several; rename one, "
            "or add what is in them as one folder"
        )
        raise DataError(message)

    def read(name: str) -> bytes:
        archive, file = files[name]
        return archive.read(file)

    folders_of_all = {f"{start[path]}{one}" for path in found for one in found[path].folders}
    return Archive(sorted(files), sorted(folders_of_all), read)


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]
