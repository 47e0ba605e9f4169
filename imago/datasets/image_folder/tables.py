"""Tables that say which class a photo is of: CSV, Parquet or JSON, as labelling tools export them.

path     of a photo within the archive, or the end of it, with or without what ends its name
label    its class
split    optional: train, validation or test
group    optional: photos that no two splits may share, such as those of a patient
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from imago.core import photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import delimited, folder_checks, label_studio, split_names
from imago.datasets.image_folder.archive import shown
from imago.datasets.image_folder.arrangement import Arrangement, Place
from imago.datasets.image_folder.settings import TABLES

NOT_LISTED, NO_LABEL = "not in the table", "has no label in the table"
"""Reasons why a photo is left out."""
_CALLED = {
    "path": (
        *("path", "file", "filename", "file_name", "filepath", "image", "image_path", "id"),
        *("image_name", "image_id", "photo", "picture", "img", "url"),
    ),
    "label": ("label", "class", "class_name", "category", "choice", "target", "labels"),
    "split": ("split", "subset", "set", "partition"),
    "group": (
        *("group", "group_id", "patient", "patient_id", "subject", "subject_id"),
        *("video", "video_id"),
    ),
}
"""What each column may be called, in any case, with _ or a space or - between words; the first one
that is there is taken, of paths the first that has names of photos, if one has."""
_MAY_BE_SPLIT = ("phase", "usage", "dataset_split", "data_split")
"""What the split may be called too, where all that stands there are names of splits."""
_UNREAD = (".jsonl", ".ndjson", ".numbers", ".ods", ".txt", ".xls", ".xlsm", ".xlsx")
_NEEDED = ("path", "label")
_NO_GROUP = ("na", "n/a", "nan", "none", "null", "unknown", "-")
"""What stands where nobody knows the group, which is no group of all of those."""


class Row(NamedTuple):
    """What a table says of a photo; empty where it says nothing."""

    path: str
    label: str
    split: str
    group: str


def is_table(path: str | Path) -> bool:
    """Tell a table by its name."""
    return Path(path).suffix.lower() in TABLES


@dataclass(frozen=True)
class Table:
    """What a table says.

    Attributes:
        rows: One for each that is not empty.
        columns: Fields of a row: what the table calls them, of those that it has.
        unused: Names of its other columns.
    """

    rows: list[Row]
    columns: Mapping[str, str]
    unused: list[str]

    def summary(self) -> str:
        """Say which column says what."""
        used = ", ".join(
            field if field == name else f"{field} from {name}"
            for field, name in self.columns.items()
        )
        return f"columns: {used}" + (f"; not used: {listed(self.unused, 9)}" * bool(self.unused))


def is_unread(path: str | Path) -> bool:
    """Tell by its name what may hold a table, too, and is not read."""
    return Path(path).suffix.lower() in _UNREAD


def read(path: Path) -> Table:
    """Read a table.

    Raises:
        DataError: It cannot be read, or lacks a column.
    """
    try:
        header, *cells = _READERS.get(path.suffix.lower(), _csv)(path)
    except FileNotFoundError as error:
        message = f"{path}: not found; name the table where it is"
        raise DataError(message) from error
    cells = [row for row in cells if any(cell.strip() for cell in row)]
    places = _places(header, cells)
    if missing := [field for field in _NEEDED if field not in places]:
        message = (
            f"{path}: must have the columns path and label, and may have split and group, got "
            f"{listed([shown(name) for name in header], 9) or 'none'}; name the column "
            f"{' and '.join(missing)}"
        )
        raise DataError(message)
    rows = [
        Row(**{field: _cell(row, places.get(field, len(row))) for field in Row._fields})
        for row in cells
    ]
    used = {field: header[at].strip() for field, at in places.items()}
    unused = [name.strip() for at, name in enumerate(header) if at not in places.values()]
    return Table(rows, used, [shown(name) for name in unused if name])


def _places(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return which column each field of a row is, of those that there are."""
    names = [
        photo_names.folded(name.strip()).replace(" ", "_").replace("-", "_") for name in header
    ]
    found = {
        field: [names.index(name) for name in called if name in names]
        for field, called in _CALLED.items()
    }
    found["path"].sort(key=lambda at: not any(_is_photo(_cell(row, at)) for row in rows))
    may_be = [names.index(name) for name in _MAY_BE_SPLIT if name in names]
    found["split"] += [at for at in may_be if _are_splits(_cell(row, at) for row in rows)]
    return {field: places[0] for field, places in found.items() if places}


def _is_photo(said: str) -> bool:
    return said.lower().endswith(tuple(photo_names.SUFFIXES))


def _are_splits(cells: Iterable[str]) -> bool:
    said = [cell for cell in cells if cell]
    return bool(said) and all(map(split_names.likely, said))


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


def _csv(path: Path) -> list[list[str]]:
    header, lines = delimited.read(path.read_bytes(), str(path))
    return [header, *(line.cells for line in lines)]


def _parquet(path: Path) -> list[list[str]]:
    import pandas as pd  # these take seconds that few need
    import pyarrow as pa

    try:
        # Whole numbers stay such where some are missing.
        table = pd.read_parquet(path, dtype_backend="numpy_nullable")
        rows = table.astype("string").fillna("").to_numpy().tolist()
    except FileNotFoundError:
        raise
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
    named = _found(rows, photos, unused, where)
    places: dict[str, Place] = {}
    classes: dict[str, str] = {}
    for path, row in named.items():
        said, *others = label_studio.labels(row.label)
        if others:
            message = (
                f"{where}: a photo must have one label, got {listed([said, *others])} for "
                f"{shown(row.path)}; mend the table"
            )
            raise DataError(message)
        if said:
            label = classes.setdefault(photo_names.folded(said), photo_names.normal(said))
            group = None if row.group.lower() in ("", *_NO_GROUP) else row.group
            places[path] = Place(_split(row, where), label, group)
        else:
            unused[path] = NO_LABEL
    unused |= {path: NOT_LISTED for path in photos if path not in named}
    arrangement = Arrangement({path: places[path] for path in photos if path in places}, unused)
    found = list(arrangement.counts())
    if len(found) < (2 if for_training else 1):
        message = (
            f"{where}: must name photos of {'two or more classes' if for_training else 'a class'}, "
            f"got {listed(found) or 'none'}; mend the table"
        )
        raise DataError(message)
    folder_checks.check_classes(arrangement, where, for_training)
    return arrangement


def _split(row: Row, where: str) -> SplitName:
    if not row.split:
        return "train"
    if (split := split_names.likely(row.split)) is None:
        message = (
            f"{where}: split must be train, validation or test, or left out, got {row.split!r} for "
            f"{shown(row.path)}; mend the table"
        )
        raise DataError(message)
    return split


def _found(
    rows: Sequence[Row], photos: Sequence[str], unused: Mapping[str, str], where: str
) -> dict[str, Row]:
    """Return the row of each photo that is named."""
    exact, loose = _Ends(photos), functools.cache(lambda: _Ends(photos, photo_names.folded))
    found: dict[str, Row] = {}
    absent: list[str] = []
    doubtful: list[str] = []
    for row in rows:
        some = exact.of(row.path) or loose().of(row.path)
        if len(some) != 1:
            (doubtful if some else absent).append(row.path)
            continue
        (path,) = some
        other = found.setdefault(path, row)
        if other[1:] != row[1:]:
            message = (
                f"{where}: a photo must have one label, split and group, got "
                f"{', '.join(filter(None, other[1:]))} and {', '.join(filter(None, row[1:]))} for "
                f"{shown(row.path)}; mend the table"
            )
            raise DataError(message)
    for some, what, remedy in (
        (absent, "be there", _remedy(absent, unused)),
        (doubtful, "be of one photo alone", "write them with their folders"),
    ):
        if some:
            message = (
                f"{where}: the paths of the table must {what}, got {len(some):,} of {len(rows):,} "
                f"that are not, such as {listed([shown(one) or 'an empty one' for one in some])}; "
                f"{remedy}"
            )
            raise DataError(message)
    return found


def _remedy(absent: Iterable[str], unused: Mapping[str, str]) -> str:
    """Say what to do about paths that are of no photo: they may be of files that are left out."""
    if not any(absent):
        return "write them, or take the rows out"
    ends = _Ends(unused)
    some = [path for said in absent for path in ends.of(said)]
    if not some:
        return "add the folder or archive that holds them"
    reasons = photo_names.by_reason(unused[path] for path in some)
    return f"files that are left out: {reasons}; convert or move them, or take the rows out"


class _Ends:
    """Files by the ends of their paths: tables know other folders around them, or none.

    Args:
        paths: Of all files.
        read: Makes of a path what is compared; no two become one.
    """

    def __init__(self, paths: Iterable[str], read: Callable[[str], str] = str) -> None:
        self._read = read
        self._whole = {read(path): path for path in paths}
        self._uploaded: defaultdict[str, list[str]] = defaultdict(list)
        for said, path in self._whole.items():
            self._uploaded[label_studio.uploaded_name(said.rpartition("/")[2])].append(path)
        self._complete: dict[str, list[str]] = {}
        for said, path in self._whole.items():
            for name in _with_and_without_suffix(said):
                self._complete.setdefault(name, []).append(path)
        self._by_end: dict[int, dict[str, list[str]]] = {}

    def of(self, said: str) -> list[str]:
        """Return the files that a table may mean: one, if all is well."""
        readings = [self._read(one) for one in label_studio.readings(said)]
        found = next(filter(None, map(self._of, readings)), [])
        return found or (self._uploaded[readings[-1]] if label_studio.is_uploaded(said) else [])

    def _of(self, said: str) -> list[str]:
        """Return the files whose ends are what is said, or else those that are its longest end."""
        if said in self._whole:
            return [self._whole[said]]
        if found := self._with_folders(said.count("/")).get(said):
            return found
        parts = said.split("/")
        ends = ("/".join(parts[start:]) for start in range(1, len(parts)))
        return next((self._complete[end] for end in ends if end in self._complete), [])

    def _with_folders(self, count: int) -> Mapping[str, list[str]]:
        """Return the files by their names and so many folders before; few tables have two such."""
        if count not in self._by_end:
            found = self._by_end[count] = {}
            for whole, path in self._whole.items():
                parts = whole.split("/")
                end = "/".join(parts[-count - 1 :]) if count < len(parts) else None
                for name in _with_and_without_suffix(end) if end else ():
                    found.setdefault(name, []).append(path)
        return self._by_end[count]


def _with_and_without_suffix(path: str) -> list[str]:
    folders, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0]
    return [path, f"{folders}{slash}{stem}"] if stem else [path]
