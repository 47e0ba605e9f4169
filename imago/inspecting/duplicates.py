"""The same picture more than once, whatever its size, its compression and its label."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    alike = features / np.maximum(lengths, np.finfo(np.float32).tiny)
    seen = np.array([0 if look is None else look for look in looks], np.uint64)
    has_look = np.array([look is not None for look in looks])
    digests = np.array([int.from_bytes(one[:8], "big") for one in pixels], np.uint64)
    found = []
    for first in range(len(pixels) - 1):
        rest = slice(first + 1, None)
        same = digests[rest] == digests[first]
        differing = np.bitwise_count(seen[rest] ^ seen[first])
        near = (differing <= GREATEST_DIFFERING_BITS) & has_look[rest] & has_look[first] & ~same
        for second in (first + 1 + np.nonzero(same | near)[0]).tolist():
            kind: Literal["exact", "near"] = "exact" if same[second - first - 1] else "near"
            if kind == "exact" or alike[first] @ alike[second] >= LEAST_LIKENESS:
                found.append(Pair(first, second, kind, int(differing[second - first - 1])))
    return found


def pictures(count: int, found: Sequence[Pair]) -> NDArray[np.intp]:
    """Return for each of so many photos the number of its picture, (N,), by what `pairs` gave."""
    from scipy.sparse import coo_array  # here, for it takes a while to import
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(one.first, one.second) for one in found], np.intp).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)
