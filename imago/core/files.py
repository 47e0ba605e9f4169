"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.core.errors import DataError, DiskFullError

if TYPE_CHECKING:  # pandas takes a quarter of a second to import, and only its own table is needed
    import pandas as pd

_ROOM = ".part"
"""Ends the name of a folder that holds what is being written."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path, and rename what was written there to `path` when all went well.

    Works for a file and for a folder. What stood at `path` before is replaced, and stays as it was
    when something goes wrong. Of several processes at a time each writes a whole one, and the one
    that ends last has written `path`.

    Raises:
        DiskFullError: There is no space for it.
        FileNotFoundError: Nothing was written.
    """
    with naming_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_litter(path)
        room, lock = _room_beside(path)
        try:
            temporary = room / path.name
            yield temporary
            if not temporary.exists():
                message = f"{path}: nothing was written"
                raise FileNotFoundError(message)
            _put(temporary, path, room / f"{path.name}.old")
        finally:
            remove(room)
            os.close(lock)


@contextlib.contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Raise DiskFullError, which names `path`, where what is written there finds no space.

    A write that fails does not know its file, and libraries raise errors of their own kinds for it.
    """
    try:
        yield
    except Exception as error:  # broad, for h5py, TensorFlow and others each have their own
        reason = _no_space(error)
        if reason is None or isinstance(error, DiskFullError):
            raise
        final = Path(*(part for part in path.parts if not _is_room(part)))
        message = f"{final}: cannot be written: {reason}; make space, and do the same again"
        raise DiskFullError(message) from error


def _is_room(name: str) -> bool:
    return name.startswith(".") and name.endswith(_ROOM)


def _no_space(error: BaseException | None) -> str | None:
    """Return what the system says of a full disk, if that is what an error comes from."""
    while error is not None:
        said = str(error)
        for reason in map(os.strerror, _NO_SPACE):
            if reason in said:
                return reason
        error = error.__cause__ or error.__context__
    return None


def _room_beside(path: Path) -> tuple[Path, int]:
    """Make a folder beside `path` for this process alone, locked until it ends, however it ends."""
    import tempfile  # here, for a prediction, which writes nothing, is to begin at once

    while True:
        room = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=_ROOM, dir=path.parent))
        try:
            lock = os.open(room, os.O_RDONLY)
        except FileNotFoundError:  # another process took it for litter
            continue
        with contextlib.suppress(OSError):  # a file system without locks, where nobody can tell
            fcntl.flock(lock, fcntl.LOCK_SH)
        if room.is_dir():
            return room, lock
        os.close(lock)


def _remove_litter(path: Path) -> None:
    """Remove the rooms beside `path` that killed processes have left: nobody has them locked."""
    for room in path.parent.glob(f".{glob.escape(path.name)}.*{_ROOM}"):
        with contextlib.suppress(OSError):  # locked by a living process, or gone by now
            lock = os.open(room, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(room)
            finally:
                os.close(lock)


def _put(new: Path, path: Path, aside: Path) -> None:
    """Rename `new` to `path`; a folder that stands there goes aside first, since none is replaced.

    Another process may do the same at the same time; then whoever is later puts its own there.
    """
    while path.is_dir() or new.is_dir():
        remove(aside)
        with contextlib.suppress(FileNotFoundError):
            path.replace(aside)
        try:
            new.replace(path)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue
            with contextlib.suppress(FileNotFoundError):
                aside.replace(path)
            raise
        return
    new.replace(path)


def remove(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, with the line ends that it has."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8", newline="")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` as readable JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises DataError if it is none, such as one with marks of a merge."""
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        message = f"{path}: must be JSON: {error}"
        raise DataError(message) from error


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write `table` as CSV, numbers in the shortest form that reads back as the same number."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_rows(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table of texts and whole numbers as CSV, a row at a time in memory."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def sha256(path: Path) -> str:
    """Compute the digest of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def byte_count(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder and below."""
    return sum(one.stat().st_size for one in (path, *path.rglob("*")) if one.is_file())
