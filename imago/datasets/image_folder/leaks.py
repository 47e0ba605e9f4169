"""The same picture in more than one split: how to find it, and how to draw a split without it."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imago.data.arrays import SplitName
from imago.datasets.image_folder.inspection import Photo
from imago.photos import near

GREATEST_DIFFERING_BITS = 4
"""Photos whose looks differ in no more of 64 bits are taken for one picture. Of the 10,000 test
images of CIFAR-10 104 are as near as that to a training image, nearly all the same picture to the
eye; with 6 bits a part of the pairs are not, and with 8 most."""

NONE = np.iinfo(np.int64).max
COMPARED: tuple[tuple[SplitName, SplitName], ...] = (
    ("test", "train"),
    ("test", "validation"),
    ("validation", "train"),
)


@dataclass(frozen=True)
class Leak:
    """A photo that, or nearly that, is in another split too.

    Attributes:
        photo: In the split that is to be new to the model.
        other: In the split that the model has seen.
        kind: exact, in every pixel; or near, to the eye.
        differing_bits: Between the looks of the two, of 64.
    """

    photo: Photo
    other: Photo
    kind: Literal["exact", "near"]
    differing_bits: int


def find(splits: Mapping[SplitName, Sequence[Photo]]) -> list[Leak]:
    """Compare each test photo with all others, and each validation photo with the training photos.

    A photo that has several like it in another split is listed once, with the one most like it.
    """
    return [
        leak
        for split, other in COMPARED
        for leak in _between(splits.get(split, []), splits.get(other, []))
    ]


def _between(photos: Sequence[Photo], others: Sequence[Photo]) -> Iterator[Leak]:
    same = {other.fingerprint.pixels: other for other in reversed(others)}
    nearest = _nearest(photos, others)
    for row, photo in enumerate(photos):
        if photo.fingerprint.pixels in same:
            yield Leak(photo, same[photo.fingerprint.pixels], "exact", 0)
        elif row in nearest:
            differing, other = nearest[row]
            yield Leak(photo, others[other], "near", differing)


def _nearest(photos: Sequence[Photo], others: Sequence[Photo]) -> dict[int, tuple[int, int]]:
    """Return, by the row of each photo near another, differing bits and the first row of those."""
    (rows, looks), (other_rows, other_looks) = _looks(photos), _looks(others)
    best = np.full(len(rows), NONE)
    for first, second, differing in near.pairs(looks, other_looks, GREATEST_DIFFERING_BITS):
        np.minimum.at(best, first, differing * len(others) + other_rows[second])
    found = np.flatnonzero(best != NONE)
    return {int(rows[one]): divmod(int(best[one]), len(others)) for one in found}


def _looks(photos: Sequence[Photo]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Return rows of photos that are not flat, and their looks."""
    rows = [row for row, photo in enumerate(photos) if photo.fingerprint.look is not None]
    looks = [photos[row].fingerprint.look for row in rows]
    return np.array(rows, np.intp), np.array(looks, np.uint64)


def draw(photos: Sequence[Photo], fraction: float) -> NDArray[np.bool_]:
    """Draw a share of the different pictures of each class, each with all its copies.

    In the order of the digests of their pixels, which is as good as random: there is no seed, and
    photos that come or go leave nearly all others where they were.

    Args:
        photos: N of them.
        fraction: Share drawn, above 0 and below 1; rounded to whole pictures, at least one of each
            class and not all. A class of one picture gives none.

    Returns:
        (N,) bool: whether each is drawn.
    """
    copies: defaultdict[bytes, list[int]] = defaultdict(list)
    for row, photo in enumerate(photos):
        copies[photo.fingerprint.pixels].append(row)
    classes = {pixels: {photos[row].class_name for row in rows} for pixels, rows in copies.items()}
    pictures = Counter(itertools.chain.from_iterable(classes.values()))
    wanted = {
        name: min(max(1, round(fraction * count)), count - 1) for name, count in pictures.items()
    }
    drawn = np.zeros(len(photos), np.bool_)
    for pixels in sorted(copies):
        if all(wanted[name] for name in classes[pixels]):  # of several, where one has two labels
            drawn[copies[pixels]] = True
            for name in classes[pixels]:
                wanted[name] -= 1
    return drawn
