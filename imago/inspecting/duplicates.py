"""The same picture more than once, whatever its size, its compression and its label."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imago.core.joining import joined
from imago.photos import near

GREATEST_DIFFERING_BITS, LEAST_LIKENESS = 8, 0.8
"""Two photos are taken for one picture whose looks differ in no more of 64 bits, and whose features
are as alike as that, as the cosine between them. By the looks alone, some pairs of 8 bits are two
pictures. Of 1,500 photos of cats and dogs, and 40 of them scaled and compressed once more, these 40
pairs differ in 2 bits at most and have 0.83 at least; no other pair is within both."""

PAIRS_AT_ONCE = 2048
"""Whose features are in memory."""


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
    prints: NDArray[np.void], kinds: NDArray[np.integer], features: NDArray[np.float32]
) -> list[Pair]:
    """Return pairs of photos that show one picture.

    Of a picture that is there a thousand times, all pairs would be half a million. So each photo is
    paired with the first of its picture, and of each picture near to it, that is of each kind.

    Args:
        prints: (N,), see `imago.photos.fingerprints.table`.
        kinds: (N,), such as one for each class in each split: all of a kind are as good for a pair.
        features: (N, F), what a backbone makes of each.
    """
    looks = prints["look"]
    _, first, picture = np.unique(prints["pixels"], return_index=True, return_inverse=True)
    members = pd.DataFrame({"picture": picture, "row": np.arange(len(picture)), "kind": kinds})
    alike = _alike(first[prints["has_look"][first]], looks, features)
    one, other = picture[alike]
    copied = np.flatnonzero(np.bincount(picture, minlength=len(first)) > 1)
    related = pd.DataFrame(
        {
            "picture": np.concatenate([copied, one, other]),
            "related": np.concatenate([copied, other, one]),
        }
    )
    firsts = members.drop_duplicates(["picture", "kind"])[["picture", "row"]]
    firsts = firsts.rename(columns={"picture": "related", "row": "other"})
    found = related.merge(members, on="picture").merge(firsts, on="related")
    rows = np.sort(found[["row", "other"]].to_numpy(np.intp), axis=1)
    rows = np.unique(rows[rows[:, 0] < rows[:, 1]], axis=0)
    differing = np.bitwise_count(looks[rows[:, 0]] ^ looks[rows[:, 1]])
    is_exact = picture[rows[:, 0]] == picture[rows[:, 1]]
    return [
        Pair(first, second, "exact" if exact else "near", bits)
        for (first, second), exact, bits in zip(
            rows.tolist(), is_exact.tolist(), differing.tolist(), strict=True
        )
    ]


def _alike(
    rows: NDArray[np.intp], looks: NDArray[np.uint64], features: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Return (2, n), those of so many rows that are near by both their looks and their features."""
    found = [np.empty((2, 0), np.intp)]
    codes = near_looks(looks[rows])
    for start in range(0, len(codes), PAIRS_AT_ONCE):
        some = rows[np.array(np.divmod(codes[start : start + PAIRS_AT_ONCE], len(rows)))]
        likeness = _likeness(features[some[0]], features[some[1]])
        found.append(some[:, likeness >= LEAST_LIKENESS])
    return np.concatenate(found, axis=1)


def _likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the cosine between each two features, (n, F)."""
    tiny = np.finfo(np.float32).tiny
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray(np.einsum("nf,nf->n", first, second) / np.maximum(lengths, tiny))


def near_looks(looks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return each two of N that differ in few bits, as first * N + second, in order."""
    codes = [np.empty(0, np.int64)]
    for first, second, _ in near.pairs(looks, looks, GREATEST_DIFFERING_BITS):
        is_once = first < second
        codes.append(first[is_once] * len(looks) + second[is_once])
    return np.unique(np.concatenate(codes))


def pictures(count: int, found: Sequence[Pair]) -> NDArray[np.intp]:
    """Return for each of so many photos the number of its picture, (N,), by what `pairs` gave."""
    ends = np.array([(one.first, one.second) for one in found], np.intp).reshape(-1, 2)
    return joined(np.arange(count), *ends.T)
