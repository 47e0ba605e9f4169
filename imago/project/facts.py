"""What photos of one's own are, as far as a look at some of them tells."""

import itertools
import statistics

from imago.core.errors import DataError
from imago.data.arrays import SplitName
from imago.datasets.image_folder.archive import Archive
from imago.datasets.image_folder.arrangement import Arrangement
from imago.photos import decoding
from imago.project.defaults import Facts

PHOTOS_LOOKED_AT = 40
"""Spread over all of them; a large one takes a twentieth of a second."""
GREATEST_PIXELS = 50_000_000


def find(archive: Archive, found: Arrangement) -> Facts:
    """Find what the defaults depend on, in the archive that is open for reading.

    Photos that cannot be read say nothing; the stage extract tells of them.
    """
    train: SplitName = "train"
    return Facts(
        counts={name: counts[train] for name, counts in found.counts().items() if counts[train]},
        has_test=bool(found.classes("test")),
        validation=sum(place.split == "validation" for place in found.places.values()),
        length=_length(archive, found),
    )


def _length(archive: Archive, found: Arrangement) -> float:
    paths = sorted(found.places)
    step = max(1, len(paths) // PHOTOS_LOOKED_AT)
    lengths = []
    with decoding.quiet():
        for path in itertools.islice(paths, 0, None, step):
            try:
                height, width, _ = decoding.decode(archive.read(path), GREATEST_PIXELS).shape
            except (decoding.UnreadableError, DataError):
                continue
            lengths.append(max(height, width) / min(height, width))
    return statistics.median(lengths) if lengths else 1.0
