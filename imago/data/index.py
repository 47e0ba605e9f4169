"""The file that each image of a data set comes from, where each has one of its own.

    <folder>/index.csv   path, class, split, row, and what else is known of the file

A row is the image's position in its split; in prepared data, where augmented copies may follow an
image, that of the image itself.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from imago.core import files
from imago.core.errors import DataError
from imago.data.arrays import SplitName

FILE = "index.csv"

Rows = dict[SplitName, list[dict[str, str]]]
"""Of each split, a row of the table for each of its images, in their order."""


def read(folder: Path) -> Rows:
    """Read the index of a folder of extracted or prepared data; empty where there is none.

    Raises:
        DataError: It is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    found: Rows = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["split"], []).append(row)  # type: ignore[arg-type]
    for rows in found.values():
        places = [int(row["row"]) for row in rows]
        if places != sorted(places):
            message = f"{path}: rows must be in their order; run the stage that writes it again"
            raise DataError(message)
    return found


def carry(
    source: Path,
    target: Path,
    chosen: Mapping[SplitName, tuple[SplitName, NDArray[Any]]],
    copies: int,
) -> None:
    """Write the index of a folder of prepared data, if that of the extracted data has one.

    Args:
        source: The extracted data.
        target: The prepared data.
        chosen: For each split, the split of the extracted data and the rows there.
        copies: That follow each training image.
    """
    there = read(source)
    if not there:
        return
    made = []
    for split, (origin, rows) in chosen.items():
        step = 1 + copies if split == "train" else 1
        for place, row in enumerate(rows.tolist()):
            made.append(there[origin][row] | {"split": split, "row": place * step})
    with (
        files.replacing(target / FILE) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.DictWriter(file, list(made[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(made)
