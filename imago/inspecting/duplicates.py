"""The same picture more than once, whatever its size, its compression and its label."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imago.photos import near

GREATEST_DIFFERING_BITS, LEAST_LIKENESS = 8, 0.8
"""Two photos are taken for one picture whose looks differ in no more of 64 bits, and whose features
are as alike as that, as the cosine between them. By the looks alone, some pairs of 8 bits are two
pictures. Of 1,500 photos of cats and dogs, and 40 of them scaled and compressed once more, these 40
pairs differ in 2 bits at most and have 0.83 at least; no other pair is within both."""


class Pair(NamedTuple):
    """Two photos of one picture.

    Attributes:
        first: Position of one.
        second: Position of the other, which is greater.
        kind: exact, in every pixel; or near, to the eye.
        differing_bits: Between the looks of the two, of 64.
    """

    first: int
    second: int
    kind: Literal["exact", "near"]
    differing_bits: int


def pairs(
    pixels: Sequence[bytes], looks: Sequence[int | None], features: NDArray[np.float32]
) -> list[Pair]:
    """Return all pairs of photos that show one picture.

    Args:
        pixels: A digest of each photo's pixels.
        looks: Of each; see `imago.photos.fingerprints`.
        features: (N, F), what a backbone makes of each.
    """
    seen = np.array([0 if look is None else look for look in looks], np.uint64)
    has_look = np.flatnonzero([look is not None for look in looks])
    digests = np.array([int.from_bytes(one[:8], "big") for one in pixels], np.uint64)
    exact = set(_equal(digests))
    near = ((int(has_look[i]), int(has_look[j])) for i, j in near_looks(seen[has_look]))
    found = []
    for first, second in sorted(exact.union(near)):
        kind: Literal["exact", "near"] = "exact" if (first, second) in exact else "near"
        if kind == "exact" or _likeness(features[first], features[second]) >= LEAST_LIKENESS:
            differing = int(np.bitwise_count(seen[first] ^ seen[second]))
            found.append(Pair(first, second, kind, differing))
    return found


def _equal(values: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Yield the positions of each two that are equal, the lower first."""
    order = np.argsort(values, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(values[order])) + 1):
        yield from itertools.combinations(rows.tolist(), 2)


def _likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Compute the cosine between two photos' features."""
    tiny = np.finfo(np.float32).tiny
    first, second = (one / np.maximum(np.linalg.norm(one), tiny) for one in (first, second))
    return float(first @ second)


def near_looks(looks: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Yield the positions of each two that differ in no more than GREATEST_DIFFERING_BITS."""
    codes = [np.empty(0, np.int64)]
    for first, second, _ in near.pairs(looks, looks, GREATEST_DIFFERING_BITS):
        is_once = first < second
        codes.append(first[is_once] * len(looks) + second[is_once])
    for code in np.unique(np.concatenate(codes)).tolist():
        yield divmod(code, len(looks))


def pictures(count: int, found: Sequence[Pair]) -> NDArray[np.intp]:
    """Return for each of so many photos the number of its picture, (N,), by what `pairs` gave."""
    from scipy.sparse import coo_array  # here, for it takes a while to import
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(one.first, one.second) for one in found], np.intp).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)
