"""The same picture more than once, whatever its size, its compression and its label."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

GREATEST_DIFFERING_BITS, LEAST_LIKENESS = 8, 0.8
"""Two photos are taken for one picture whose looks differ in no more of 64 bits, and whose features
are as alike as that, as the cosine between them. By the looks alone, some pairs of 8 bits are two
pictures. Of 1,500 photos of cats and dogs, and 40 of them scaled and compressed once more, these 40
pairs differ in 2 bits at most and have 0.83 at least; no other pair is within both."""

QUARTER_BITS, PAIRS_AT_ONCE = 16, 1_000_000
"""Of a look's 64; and in memory, of two photos each."""


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
    """Yield the positions of each two that differ in no more than GREATEST_DIFFERING_BITS.

    All pairs would be as the square of the photos. Of two such looks one quarter differs in two
    bits at most, so for each quarter those are compared that have it so.

    Source: M. Norouzi, A. Punjani and D. Fleet, Fast Exact Search in Hamming Space with Multi-Index
    Hashing, IEEE Transactions on Pattern Analysis and Machine Intelligence 36 (2014).
    """
    found = [np.empty(0, np.int64)]
    for shift in range(0, 64, QUARTER_BITS):
        keys = (looks >> np.uint64(shift)).astype(np.int64) & (2**QUARTER_BITS - 1)
        order = np.argsort(keys, kind="stable")
        sizes = np.bincount(keys, minlength=2**QUARTER_BITS)
        starts = np.cumsum(sizes) - sizes
        for change in _changes():
            alike = keys ^ change
            once = np.where(keys <= alike, sizes[alike], 0)
            found += _compared(looks, order, starts[alike], once)
    for code in np.unique(np.concatenate(found)).tolist():
        yield divmod(code, len(looks))


def _changes() -> list[int]:
    """Return the numbers of QUARTER_BITS bits of which no more are set than may differ in one."""
    most = GREATEST_DIFFERING_BITS * QUARTER_BITS // 64
    bits = [1 << bit for bit in range(QUARTER_BITS)]
    return [sum(some) for n in range(most + 1) for some in itertools.combinations(bits, n)]


def _compared(
    looks: NDArray[np.uint64],
    order: NDArray[np.intp],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> Iterator[NDArray[np.int64]]:
    """Compare each look with some of the others, and yield the pairs that are near.

    Args:
        looks: (N,).
        order: (N,), positions of looks.
        starts: (N,), where in `order` those begin with which each is compared.
        sizes: (N,), how many they are.

    Yields:
        Pairs (i, j), i < j, as i * N + j.
    """
    ends = np.cumsum(sizes)
    bounds = np.searchsorted(ends, np.arange(0, ends[-1] if len(ends) else 0, PAIRS_AT_ONCE))
    for begin, end in itertools.pairwise([*np.unique(bounds).tolist(), len(looks)]):
        some = sizes[begin:end]
        first = np.repeat(np.arange(begin, end), some)
        within = np.arange(len(first)) - np.repeat(np.cumsum(some) - some, some)
        second = order[np.repeat(starts[begin:end], some) + within]
        differing = np.bitwise_count(looks[first] ^ looks[second])
        kept = (first != second) & (differing <= GREATEST_DIFFERING_BITS)
        lower, upper = np.sort([first[kept], second[kept]], axis=0)
        yield lower * len(looks) + upper


def pictures(count: int, found: Sequence[Pair]) -> NDArray[np.intp]:
    """Return for each of so many photos the number of its picture, (N,), by what `pairs` gave."""
    from scipy.sparse import coo_array  # here, for it takes a while to import
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(one.first, one.second) for one in found], np.intp).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)
