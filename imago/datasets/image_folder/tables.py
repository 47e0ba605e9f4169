"""Tables that say which class a photo is of: CSV, Parquet or JSON, as labelling tools export them.

path     of a photo within the archive, or the end of it, with or without what ends its name
label    its class
split    optional: train, validation or test
group    optional: photos that no two splits may share, such as those of a patient
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from imago.core import photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import folder_checks, label_studio, split_names
from imago.datasets.image_folder.arrangement import Arrangement, Place
from imago.datasets.image_folder.settings import TABLES

NOT_LISTED, NO_LABEL = "not in the table", "has no label in the table"
"""Reasons why a photo is left out."""
_CALLED = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "id"),
    "label": ("label", "class", "class_name", "category", "choice", "target", "labels"),
    "split": ("split", "subset", "set", "partition"),
    "group": ("group",),
}
"""What each column may be called, in any case; the first one that is there is taken."""
_NEEDED = ("path", "label")
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class Row(NamedTuple):
    """What a table says of a photo; empty where it says nothing."""

    path: str
    label: str
    split: str
    group: str


def is_table(path: str | Path) -> bool:
    """Tell a table by its name."""
    return Path(path).suffix.lower() in TABLES


def read(path: Path) -> list[Row]:
    """Read a table.

    Raises:
        DataError: It cannot be read, or lacks a column.
    """
    header, *rows = _READERS.get(path.suffix.lower(), _csv)(path)
    names = [photo_names.folded(name.strip()) for name in header]
    places = {
        column: next((names.index(name) for name in called if name in names), None)
        for column, called in _CALLED.items()
    }
    if missing := [column for column in _NEEDED if places[column] is None]:
        message = (
            f"{path}: must have the columns path and label, and may have split and group, got "
            f"{listed(header, 9) or 'none'}; name the column {' and '.join(missing)}"
        )
        raise DataError(message)
    return [
        Row(
            *(row[at].strip() if at is not None and at < len(row) else "" for at in places.values())
        )
        for row in rows
        if any(cell.strip() for cell in row)
    ]


def _csv(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    encoding = _MARKS.get(content[:2], "utf-8-sig")
    try:
        text = content.decode(encoding)
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path}: must be a table in UTF-8, with commas: {error}; save it as such"
        raise DataError(message) from error


def _parquet(path: Path) -> list[list[str]]:
    import pandas as pd  # these take seconds that few need
    import pyarrow as pa

    try:
        table = pd.read_parquet(path)
        rows = table.astype("string").fillna("").to_numpy().tolist()
    except (KeyError, OSError, TypeError, ValueError, pa.ArrowException) as error:
        message = f"{path}: must be a whole Parquet file: {error}; save it anew, or as CSV"
        raise DataError(message) from error
    return [[str(name) for name in table.columns], *rows]


def _json(path: Path) -> list[list[str]]:
    return label_studio.table(path.read_bytes(), str(path))


_READERS = {".json": _json, ".parquet": _parquet}


def arrange(
    rows: Sequence[Row], paths: Sequence[str], where: str, *, for_training: bool = True
) -> Arrangement:
    """Find the split, the class and the group of each photo that a table names.

    Args:
        rows: Of the table.
        paths: Of all files in the archive, with / between folders.
        where: Begins each error.
        for_training: Whether there must be two classes, with training photos of each.

    Raises:
        DataError: The table names photos that are not there, or one twice with two labels; or there
            are no photos, or for training no two classes, or no training photos of one.
    """
    unused = {path: why for path in paths if (why := photo_names.reason_against(path))}
    photos = [path for path in paths if path not in unused]
    named = _found(rows, photos, where)
    places: dict[str, Place] = {}
    classes: dict[str, str] = {}
    for path, row in named.items():
        said, *others = label_studio.labels(row.label)
        if others:
            message = (
                f"{where}: a photo must have one label, got {listed([said, *others])} for "
                f"{row.path}; mend the table"
            )
            raise DataError(message)
        if said:
            label = classes.setdefault(photo_names.folded(said), photo_names.normal(said))
            places[path] = Place(_split(row, where), label, row.group or None)
        else:
            unused[path] = NO_LABEL
    unused |= {path: NOT_LISTED for path in photos if path not in named}
    arrangement = Arrangement({path: places[path] for path in photos if path in places}, unused)
    if for_training or not places:
        folder_checks.check_classes(arrangement, where)
    return arrangement


def _split(row: Row, where: str) -> SplitName:
    if not row.split:
        return "train"
    if (split := split_names.likely(row.split)) is None:
        message = (
            f"{where}: split must be train, validation or test, or left out, got {row.split!r} for "
            f"{row.path}; mend the table"
        )
        raise DataError(message)
    return split


def _found(rows: Sequence[Row], photos: Iterable[str], where: str) -> dict[str, Row]:
    """Return the row of each photo that is named."""
    ends = _Ends(photos)
    found: dict[str, Row] = {}
    absent: list[str] = []
    doubtful: list[str] = []
    for row in rows:
        some = ends.of(row.path)
        if len(some) != 1:
            (doubtful if some else absent).append(row.path)
            continue
        (path,) = some
        other = found.setdefault(path, row)
        if other[1:] != row[1:]:
            message = (
                f"{where}: a photo must have one label, split and group, got "
                f"{', '.join(filter(None, other[1:]))} and {', '.join(filter(None, row[1:]))} for "
                f"{row.path}; mend the table"
            )
            raise DataError(message)
    for some, what, remedy in (
        (absent, "be there", "add the folder or archive that holds them"),
        (doubtful, "be of one photo alone", "write them with their folders"),
    ):
        if some:
            message = (
                f"{where}: the paths of the table must {what}, got {len(some):,} of {len(rows):,} "
                f"that are not, such as {listed(some)}; {remedy}"
            )
            raise DataError(message)
    return found


class _Ends:
    """Photos by the ends of their paths: tables know other folders around them, or none."""

    def __init__(self, photos: Iterable[str]) -> None:
        self._whole: set[str] = set()
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        self._uploaded: defaultdict[str, list[str]] = defaultdict(list)
        for path in photos:
            self._whole.add(path)
            name = path.rpartition("/")[2]
            self._uploaded[label_studio.uploaded_name(name)].append(path)
            self._by_name[name].append(path)
            self._by_name[name.rpartition(".")[0]].append(path)

    def of(self, said: str) -> list[str]:
        """Return the photos that a table may mean: one, if all is well."""
        readings = label_studio.readings(said)
        found = next(filter(None, map(self._of, readings)), [])
        return found or (self._uploaded[readings[-1]] if label_studio.is_uploaded(said) else [])

    def _of(self, path: str) -> list[str]:
        if path in self._whole:
            return [path]
        some = self._by_name.get(path.rpartition("/")[2], [])
        # Of several by that name, those that agree with the most of the folders that are said.
        agreeing = [(_agreement(path, one), one) for one in some]
        most = max((count for count, _ in agreeing), default=-1)
        return [one for count, one in agreeing if count == most >= 0]


def _agreement(said: str, path: str) -> int:
    """Count the folders that two paths share at their ends; -1 where neither is the other's end."""
    pairs = list(zip(said.split("/")[-2::-1], path.split("/")[-2::-1], strict=False))
    return len(pairs) if all(one == other for one, other in pairs) else -1
