"""Photos that belong together, and how they are drawn for a split as one.

There is no seed: each group goes where its own digest says, so that photos that come or go move no
other one, but for those that belong to them and in classes of a few groups.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from imago.core import joining
from imago.data.arrays import SplitName
from imago.datasets.image_folder.inspection import Photo
from imago.datasets.image_folder.leaks import GREATEST_DIFFERING_BITS
from imago.photos import near

NEED: tuple[SplitName, ...] = ("train", "test", "validation")
"""In a class of fewer groups than splits, those in front come first."""
_DIGEST_BITS = 64


def together(photos: Sequence[Photo]) -> list[list[int]]:
    """Return the rows of the photos of each group, in the order of their first ones.

    Photos belong together that are equal in every pixel, that look alike, each to some other one,
    or that a table puts into one group.
    """
    of_sure = joining.joined(
        np.arange(len(photos)), *np.array(_equal(photos), np.intp).reshape(-1, 2).T
    )
    sure, look = _rows_of(of_sure), _rows_of(_alike(photos, of_sure))
    of_class = _pictures(photos)
    found = []
    for rows in look:
        pictures = len({photos[row].fingerprint.pixels for row in rows})
        if joining.is_of_class(pictures, of_class[photos[rows[0]].class_name]):
            known = set(rows)
            found += [some for some in sure if known.issuperset(some)]
        else:
            found.append(rows)
    return sorted(found)


def _equal(photos: Sequence[Photo]) -> list[tuple[int, int]]:
    """Return pairs of photos that are surely of one group, enough to join all that are."""
    pairs = []
    first: dict[tuple[str, bytes | str], int] = {}
    for row, photo in enumerate(photos):
        keys: list[tuple[str, bytes | str]] = [("pixels", photo.fingerprint.pixels)]
        keys += [("group", photo.group)] if photo.group is not None else []
        pairs += [(first.setdefault(key, row), row) for key in keys]
    return pairs


def _alike(photos: Sequence[Photo], groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the groups of photos, (N,), after those that look alike have joined."""
    seen = [(row, one.fingerprint.look) for row, one in enumerate(photos)]
    rows = np.array([row for row, look in seen if look is not None], np.intp)
    looks = np.array([look for _, look in seen if look is not None], np.uint64)
    looks, first, which = np.unique(looks, return_index=True, return_inverse=True)
    groups = joining.joined(groups, rows, rows[first[which]])
    for one, other, _ in near.pairs(looks, looks, GREATEST_DIFFERING_BITS):
        groups = joining.joined(groups, rows[first[one]], rows[first[other]])
    return groups


def _rows_of(groups: NDArray[np.intp]) -> list[list[int]]:
    """Return the rows of each group, in the order of their first ones."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups.tolist()):
        found[group].append(row)
    return list(found.values())


def _pictures(photos: Sequence[Photo]) -> Counter[str]:
    """Count the pictures of each class."""
    return Counter(
        name for name, _ in {(photo.class_name, photo.fingerprint.pixels) for photo in photos}
    )


def draw(photos: Sequence[Photo], fractions: Mapping[SplitName, float]) -> list[SplitName]:
    """Return the split of each photo.

    Args:
        photos: N of them, in training so far.
        fractions: Share of the groups for each split that is drawn; the rest are for training. A
            class has one group in each split, where it has as many.
    """
    groups = together(photos)
    places = [_place([photos[row] for row in rows]) for rows in groups]
    splits: list[SplitName] = [_split(place, fractions) for place in places]
    order = sorted(range(len(groups)), key=places.__getitem__)
    classes = [{photos[row].class_name for row in rows} for rows in groups]
    for name in sorted(set().union(*classes)):
        of_it = [group for group in order if name in classes[group]]
        for split in ("train", *fractions):
            _give_one(of_it, split, splits)
    found: list[SplitName] = ["train"] * len(photos)
    for rows, split in zip(groups, splits, strict=True):
        for row in rows:
            found[row] = split
    return found


def _give_one(groups: Sequence[int], split: SplitName, splits: list[SplitName]) -> None:
    """Move a group of a class to a split that has none, from one that has several or less need."""
    if any(splits[group] == split for group in groups):
        return
    counts = Counter(splits[group] for group in groups)
    movable = [
        group
        for group in groups
        if counts[splits[group]] > 1 or NEED.index(splits[group]) > NEED.index(split)
    ]
    if movable:
        splits[movable[-1 if split == "train" else 0]] = split


def _place(photos: Sequence[Photo]) -> float:
    """Return where in 0 to 1 the digest of a group stands: that of its name, or of a picture."""
    names = sorted({photo.group for photo in photos if photo.group is not None})
    key = names[0].encode() if names else min(photo.fingerprint.pixels for photo in photos)
    digest = hashlib.sha256(key).digest()[: _DIGEST_BITS // 8]
    return float(int.from_bytes(digest, "big") / 2**_DIGEST_BITS)


def _split(place: float, fractions: Mapping[SplitName, float]) -> SplitName:
    start = 0.0
    for split, fraction in fractions.items():
        start += fraction
        if place < start:
            return split
    return "train"
