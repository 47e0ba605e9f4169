"""Where data come from, told by each folder of data to the next one that is made from it.

    <folder>/provenance.json   what the stages up to this one were asked for, and of what
    <folder>/set_aside.csv     files of the data set that are not used, and why; if there are any
    <folder>/leaks.csv         photos that are in two splits; if there are any
    <folder>/decisions.csv     what a person decided of photos, where somebody did

So whoever holds a variant, or features, knows its data set without a look at params.yaml.
"""

import csv
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imago.core import files
from imago.core.errors import DataError
from imago.core.sections import Section

FILE = "provenance.json"
SET_ASIDE = "set_aside.csv"
DECISIONS = "decisions.csv"
LISTINGS = (SET_ASIDE, "leaks.csv", DECISIONS)


def write(folder: Path, name: str, dataset: Section) -> None:
    """Say in the folder of an extracted data set what it was made from: all but whence they come.

    Args:
        folder: Where the data are.
        name: Of the data set in params.yaml.
        dataset: Its section there.
    """
    section = dataset.model_dump(mode="json", exclude_unset=True, exclude={"sources", "limits"})
    files.write_json(folder / FILE, {"dataset": {"name": name, **section}})


def carry(source: Path, target: Path, **made: Mapping[str, Any]) -> None:
    """Say in the folder `target` what it was made from: what `source` says, and what was done.

    Args:
        source: The folder of data that a stage read.
        target: The one that it writes.
        made: Under a name of the stage's own, what it was asked for.

    Raises:
        DataError: `source` does not say what it was made from.
    """
    files.write_json(target / FILE, read(source) | made)
    for listing in LISTINGS:
        if (source / listing).is_file() and _has_rows(source / listing):
            shutil.copyfile(source / listing, target / listing)


def read(folder: Path) -> dict[str, Any]:
    """Read what a folder of data says of where they come from.

    Returns:
        `dataset`, its name and its section of params.yaml without the sources; in prepared data
        `prepare`, the variant's name, its section and the seed; in features `features` as well.

    Raises:
        DataError: It says nothing.
    """
    path = folder / FILE
    if not path.is_file():
        message = f"{path}: not found; run the stage that writes {folder}"
        raise DataError(message)
    told: dict[str, Any] = files.read_json(path)
    return told


def set_aside(folder: Path) -> list[dict[str, str]]:
    """Read which files of the data set are not used, each with `path` and `reason`."""
    path = folder / SET_ASIDE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _has_rows(path: Path) -> bool:
    with path.open("rb") as file:
        file.readline()  # the names of the columns
        return bool(file.readline())
