"""What the folders of an archive say of its photos."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from imago.data.arrays import SplitName

NO_CLASS = "lies in no class folder"
COPY = "lies in a copy of the folders beside it"
NO_LABEL = "has no label"
"""Reasons why a photo is left out, beside those of its name."""


class Place(NamedTuple):
    """Where a photo belongs; where there are no split folders, everything is for training."""

    split: SplitName
    class_name: str
    group: str | None = None
    """Of photos that no two splits may share, such as those of a patient, where a table says it."""


@dataclass(frozen=True)
class Arrangement:
    """What the folders of an archive say, or the table beside it.

    Attributes:
        places: Path of each photo, in the order given: where it belongs.
        unused: Path of each other file: why it is left out.
        table: Which columns say it, in words, where a table does.
    """

    places: dict[str, Place]
    unused: dict[str, str]
    table: str = ""

    def classes(self, split: SplitName) -> list[str]:
        """Return the names of the classes that have photos in `split`, sorted."""
        return sorted({place.class_name for place in self.places.values() if place.split == split})

    def counts(self) -> dict[str, Counter[SplitName]]:
        """Return for each class, sorted, how many photos it has in each split."""
        found: dict[str, Counter[SplitName]] = {}
        for place in self.places.values():
            found.setdefault(place.class_name, Counter())[place.split] += 1
        return dict(sorted(found.items()))
