"""Tables that say which class a photo is of: CSV, Parquet or JSON, as labelling tools export them.

path     of a photo within the archive, or the end of it, with or without what ends its name
label    its class
split    optional: train, validation or test
group    optional: photos that no two splits may share, such as those of a patient
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imago.core import photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import (
    columns,
    delimited,
    folder_checks,
    label_studio,
    split_names,
)
from imago.datasets.image_folder.archive import shown
from imago.datasets.image_folder.arrangement import Arrangement, Place
from imago.datasets.image_folder.path_ends import PathEnds
from imago.datasets.image_folder.settings import TABLES

if TYPE_CHECKING:
    import pandas as pd

NOT_LISTED, NO_LABEL = "not in the table", "has no label in the table"
"""Reasons why a photo is left out."""
_UNREAD = (".jsonl", ".ndjson", ".numbers", ".ods", ".txt", ".xls", ".xlsm", ".xlsx")
_NEEDED = ("path", "label")
_NO_GROUP = ("na", "n/a", "nan", "<na>", "none", "null", "unknown", "-")
"""What stands where nobody knows the group, which is no group of all of those."""
_NOT_A_LABEL = ("nan", "NaN", "<NA>")
"""What pandas writes where there is no label; people call classes NA, none and null."""
_UNSEEN = "\u00ad\u200b\u200e\u200f\ufeff"
"""Signs without width that programs leave at the ends of a name, none of which spells a word."""


class Row(NamedTuple):
    """What a table says of a photo; empty where it says nothing."""

    path: str
    label: str
    split: str = ""
    group: str = ""


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
    places = columns.places(header, cells, str(path))
    if missing := [field for field in _NEEDED if field not in places]:
        message = (
            f"{path}: must have the columns path and label, and may have split and group, got "
            f"{listed([shown(name) for name in header], 9) or 'none'}; "
            f"{columns.remedy(header, cells, missing)}"
        )
        raise DataError(message)
    rows = [Row(**columns.said(header, row, places)) for row in cells]
    used = {field: header[at].strip() for field, at in places.items()}
    unused = [name.strip() for at, name in enumerate(header) if at not in places.values()]
    return Table(rows, used, [shown(name) for name in unused if name])


def _csv(path: Path) -> list[list[str]]:
    header, lines = delimited.read(path.read_bytes(), str(path))
    return [header, *(line.cells for line in lines)]


def _parquet(path: Path) -> list[list[str]]:
    import pandas as pd  # these take seconds that few need
    import pyarrow as pa

    try:
        # Whole numbers stay such where some are missing.
        table = pd.read_parquet(path, dtype_backend="numpy_nullable")
        for name in table.index.names:
            if name is not None and name not in table:
                table[name] = table.index.get_level_values(str(name))
        table = table.apply(_as_text, where=str(path))
        rows = table.astype("string").fillna("").to_numpy().tolist()
    except (DataError, FileNotFoundError):
        raise
    except (KeyError, OSError, TypeError, ValueError, pa.ArrowException) as error:
        message = f"{path}: must be a whole Parquet file: {error}; save it anew, or as CSV"
        raise DataError(message) from error
    return [[str(name) for name in table.columns], *rows]


def _as_text(column: "pd.Series", where: str) -> "pd.Series":
    """Write bytes that are text, and images that say where they lie, as what they are.

    Raises:
        DataError: The images themselves stand where their paths should.
    """
    held = column.dropna()
    first = held.iloc[0] if len(held) else None
    if isinstance(first, bytes):
        try:
            return column.map(bytes.decode, na_action="ignore")
        except UnicodeDecodeError:
            content = first
    elif isinstance(first, dict) and {"bytes", "path"} <= first.keys():
        content = first["bytes"]
        if content is None:
            return column.map(lambda one: one["path"], na_action="ignore")
    else:
        return column
    if content and columns.may_be_path(str(column.name)):
        message = (
            f"{where}: must say where the photos are, got images in the column {column.name}; save "
            "each as a file, in a folder for its class"
        )
        raise DataError(message)
    return column.map(str, na_action="ignore")


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
        try:
            said, *others = label_studio.labels(row.label)
        except ValueError as error:
            message = (
                f"{where}: {shown(row.path)}: the label {error}: {shown(row.label)}; export one "
                "choice or tag for each photo"
            )
            raise DataError(message) from error
        if others:
            message = (
                f"{where}: a photo must have one label, got {listed([said, *others])} for "
                f"{shown(row.path)}; mend the table"
            )
            raise DataError(message)
        if (name := _class_name(said)) and name not in _NOT_A_LABEL:
            label = classes.setdefault(photo_names.folded(name), photo_names.normal(name))
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


def _class_name(said: str) -> str:
    """Return a label without signs at its ends that are not seen."""
    return said.strip(f" {_UNSEEN}")


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
    exact, loose = PathEnds(photos), functools.cache(lambda: PathEnds(photos, photo_names.folded))
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
        (absent, "be there", _remedy(absent, unused, photos)),
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


def _remedy(absent: Iterable[str], unused: Mapping[str, str], photos: Iterable[str]) -> str:
    """Say what to do about paths that are of no photo: they may be of files that are left out."""
    if not any(absent):
        return "write them, or take the rows out"
    stems = {path.rpartition("/")[2].partition(".")[0] for path in photos}
    whole = {stem.lstrip("0"): stem for stem in stems if stem.startswith("0")}
    if cut := next((said for said in absent if said and said in whole), None):
        return f"write {cut} as {whole[cut]}, and others as such: a program took the zeros away"
    ends = PathEnds(unused)
    some = [path for said in absent for path in ends.of(said)]
    if not some:
        return "add the folder or archive that holds them"
    reasons = photo_names.by_reason(unused[path] for path in some)
    return f"files that are left out: {reasons}; convert or move them, or take the rows out"
