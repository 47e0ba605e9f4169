"""Which looks are near each other: of 64 bits, few differ.

All pairs would be as the square of the photos. Of two looks that differ in few bits, at least one
part differs in no more than its share of them, so for each part those are compared that have it so.

Source: M. Norouzi, A. Punjani and D. Fleet, Fast Exact Search in Hamming Space with Multi-Index
Hashing, IEEE Transactions on Pattern Analysis and Machine Intelligence 36 (2014), with as many
parts as give the fewest comparisons.
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

PAIRS_AT_ONCE = 200_000
"""In memory, of two looks each."""

PARTS = range(3, 17)
"""Of fewer the tables would not fit, of more nearly all looks are compared."""

Positions = NDArray[np.intp]


def pairs(
    looks: NDArray[np.uint64], others: NDArray[np.uint64], greatest: int
) -> Iterator[tuple[Positions, Positions, NDArray[np.int64]]]:
    """Yield the pairs that differ in no more than so many bits, some at a time, some again.

    Args:
        looks: (N,).
        others: (M,).
        greatest: Number of bits.

    Yields:
        (n,) positions in `looks`, (n,) in `others`, and (n,) how many bits differ.
    """
    parts = min(PARTS, key=lambda count: _comparisons(count, len(others), greatest))
    for begin, end in itertools.pairwise(64 * part // parts for part in range(parts + 1)):
        keys = 2 ** (end - begin)
        part, there = (
            (some >> np.uint64(begin) & np.uint64(keys - 1)).astype(np.intp)
            for some in (looks, others)
        )
        order = np.argsort(there, kind="stable")
        values, counts = np.unique(there, return_counts=True)
        starts = np.zeros(keys + 1, np.int32)  # in 32 bits, for it may be larger than all looks
        starts[values + 1] = counts
        np.cumsum(starts, out=starts)
        for change in _changes(end - begin, greatest // parts):
            alike = part ^ change
            begins = starts[alike]
            for first, places in _expanded(begins, starts[alike + 1] - begins):
                second = order[places]
                differing = np.bitwise_count(looks[first] ^ others[second]).astype(np.int64)
                kept = differing <= greatest
                yield first[kept], second[kept], differing[kept]


def _comparisons(parts: int, others: int, greatest: int) -> float:
    """Return how many a look takes, of a table's rows and of looks that have a part alike."""
    bits = 64 / parts
    changed = sum(math.comb(math.ceil(bits), n) for n in range(greatest // parts + 1))
    return parts * changed * (1 + others / 2**bits)


def _changes(bits: int, most: int) -> list[int]:
    """Return the numbers of so many bits of which at most `most` are set."""
    each = [1 << bit for bit in range(bits)]
    return [sum(some) for n in range(most + 1) for some in itertools.combinations(each, n)]


def _expanded(starts: Positions, sizes: Positions) -> Iterator[tuple[Positions, Positions]]:
    """Yield i and starts[i] + k for each k below sizes[i], some at a time."""
    rows = np.flatnonzero(sizes)
    ends = np.cumsum(sizes[rows])
    bounds = np.searchsorted(ends, np.arange(0, ends[-1] if len(ends) else 0, PAIRS_AT_ONCE))
    for begin, end in itertools.pairwise([*np.unique(bounds).tolist(), len(rows)]):
        some = rows[begin:end]
        counts = sizes[some]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        yield np.repeat(some, counts), np.repeat(starts[some], counts) + within
