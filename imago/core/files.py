"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.core.errors import DataError

if TYPE_CHECKING:  # pandas takes a quarter of a second to import, and only its own table is needed
    import pandas as pd


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename what was written there when all went well.

    Works for a file and for a folder. What stood at `path` before is replaced, and stays as it was
    when something goes wrong. One process at a time may write to a path.

    Raises:
        FileNotFoundError: Nothing was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.old")
    remove(temporary)  # what a killed process may have left
    try:
        yield temporary
        if not temporary.exists():
            message = f"{path}: nothing was written"
            raise FileNotFoundError(message)
        if path.is_dir() or temporary.is_dir():  # a rename replaces files only
            remove(old)
            if path.exists() or path.is_symlink():
                path.replace(old)
        temporary.replace(path)
        remove(old)
    finally:
        remove(temporary)


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


def byte_count(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder and below."""
    return sum(one.stat().st_size for one in (path, *path.rglob("*")) if one.is_file())
