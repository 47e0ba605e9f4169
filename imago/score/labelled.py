"""Photos with their classes, in any form that `imago add` takes, as a model has to name them."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imago.core import photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import contents
from imago.datasets.image_folder.archive import Archive
from imago.datasets.image_folder.arrangement import Arrangement

CLASSES_SHOWN = 10


@dataclass(frozen=True)
class Labelled:
    """Photos that are open for reading.

    Attributes:
        where: What was given.
        archive: Holds them.
        labels: Path of each photo, in the order of the test split: its class, a position in the
            model's class names.
        left_out: Path of each other file: why it is left out.
    """

    where: str
    archive: Archive
    labels: Mapping[str, int]
    left_out: Mapping[str, str]
    table: str = ""


@contextlib.contextmanager
def opened(
    places: Sequence[Path], classes: Sequence[str], split: SplitName | None = None
) -> Iterator[Labelled]:
    """Open archives and folders of photos, and at most one table, as `imago add` does.

    Args:
        places: Where they are.
        classes: That the model knows.
        split: The only one whose photos are wanted; None for all photos.

    Raises:
        DataError: They cannot be used, there are none of the split, or the model does not know a
            class.
    """
    of_photos, of_tables = contents.told_apart(places)
    where = listed([str(place) for place in of_tables or of_photos])
    opening = contents.opened(places, where, for_training=False, known=classes)
    with opening as (archive, arrangement):
        _check_split(where, arrangement, split)
        wanted = {
            path: place.class_name
            for path, place in arrangement.places.items()
            if split in (None, place.split)
        }
        names = sorted(set(wanted.values()))
        position = _positions(where, names, classes, by_table=bool(of_tables))
        labels = {path: position[name] for path, name in wanted.items()}
        yield Labelled(where, archive, labels, arrangement.unused, arrangement.table)


def _check_split(where: str, arrangement: Arrangement, split: SplitName | None) -> None:
    counts = Counter(place.split for place in arrangement.places.values())
    if split is None or counts[split]:
        return
    there = [f"{name} with {count:,}" for name, count in counts.items()]
    found = "photos without a split" if list(counts) == ["train"] else listed(there)
    message = (
        f"{where}: must have a folder, or rows of a table, of the split {split}, got {found}; "
        "leave out --split, or name beside them the table that says which photos were drawn, "
        "data/prepared/<variant>/index.csv"
    )
    raise DataError(message)


def _positions(
    where: str, names: Sequence[str], classes: Sequence[str], *, by_table: bool = False
) -> dict[str, int]:
    """Find each name among the model's classes; case counts only where two differ by it alone."""
    exact = {name: position for position, name in enumerate(classes)}
    folded = Counter(map(photo_names.folded, classes))
    loose = {
        photo_names.folded(name): position
        for name, position in exact.items()
        if folded[photo_names.folded(name)] == 1
    }
    found = {name: exact.get(name, loose.get(photo_names.folded(name))) for name in names}
    if unknown := [name for name, position in found.items() if position is None]:
        remedy = (
            "mend the table"
            if by_table
            else "rename their folders, or say the model's classes in a table of the columns path "
            "and label"
        )
        message = (
            f"{where}: classes must be among those that the model knows, "
            f"{listed(classes, CLASSES_SHOWN)}, got {listed(unknown, CLASSES_SHOWN)}; {remedy}"
        )
        raise DataError(message)
    return {name: position for name, position in found.items() if position is not None}
