"""The file that each image of a data set comes from, where each has one of its own.

    <folder>/index.csv   path, class, split, row, and what else is known of the file

A row is the image's position in its split; in prepared data, where augmented copies may follow an
image, that of the image itself.
"""

import csv
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.core import files
from imago.core.errors import DataError
from imago.data.arrays import Info, SplitName

FILE = "index.csv"

Row = dict[str, str]
"""What is known of an image, by the columns of the table."""
_NEEDED = {"path", "split", "row"}
"""Columns without which a table is none."""


def rows(folder: Path, split: SplitName) -> Iterator[Row]:
    """Yield what is known of each image of a split, in their order, one at a time in memory.

    Args:
        folder: Of extracted or prepared data; nothing is yielded where it has no index.
        split: Its name.

    Raises:
        DataError: The index is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return
    before = -1
    for row in _lines(path):
        if row["split"] == split:
            if (place := int(row["row"])) < before:
                message = f"{path}: rows must be in their order; {_AGAIN}"
                raise DataError(message)
            before = place
            yield row


def _lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        try:
            for row in table:
                _check(row)
                yield row
        except (ValueError, csv.Error) as error:  # of bytes that are no UTF-8, too
            message = f"{path}: line {table.line_num}: {error}; {_AGAIN}"
            raise DataError(message) from error


def _check(row: Row) -> None:
    """Raise ValueError where a line has no cell for a column, one too many, or no number."""
    is_whole = None not in row and None not in row.values()
    if not (is_whole and row.keys() >= _NEEDED and row["row"].isdecimal()):
        message = f"must have a path, a split, a whole row and a cell for each column, got {row}"
        raise ValueError(message)


def carry(
    source: Path,
    target: Path,
    chosen: Mapping[SplitName, tuple[SplitName, NDArray[np.intp]]],
    info: Info,
) -> None:
    """Write the index of a folder of prepared data, if that of the extracted data has one.

    Args:
        source: The extracted data.
        target: The prepared data.
        chosen: For each split, the split of the extracted data and the rows there, which ascend.
        info: Of the prepared data.

    Raises:
        DataError: The index of the extracted data is damaged.
    """
    if not (source / FILE).is_file():
        return
    with (
        files.replacing(target / FILE) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        for number, row in enumerate(_chosen(source, chosen, info)):
            if not number:
                table.writerow(row)
            table.writerow(row.values())


def _chosen(
    source: Path,
    chosen: Mapping[SplitName, tuple[SplitName, NDArray[np.intp]]],
    info: Info,
) -> Iterator[dict[str, Any]]:
    for split, (origin, positions) in chosen.items():
        found = 0
        is_chosen = np.zeros(int(positions.max(initial=-1)) + 1, np.bool_)
        is_chosen[positions] = True
        for found, row in enumerate(itertools.compress(rows(source, origin), is_chosen), start=1):
            yield row | {"split": split, "row": (found - 1) * info.step(split)}
        if found != len(positions):
            message = (
                f"{source / FILE}: must have {len(is_chosen):,} rows of {origin} or more, got "
                f"fewer; {_AGAIN}"
            )
            raise DataError(message)


_AGAIN = "run the stage that writes it again"
