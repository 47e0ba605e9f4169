import numpy as np
import pytest

from imago.inspecting import duplicates
from imago.inspecting.duplicates import Pair
from imago.photos import fingerprints

ALIKE = np.array([[1, 0], [0.99, 0.1], [0, 1], [1, 0]], np.float32)


def found(pixels, looks, features=ALIKE, kinds=None):
    prints = map(fingerprints.Fingerprint, pixels, looks)
    kinds = np.zeros(len(pixels), int) if kinds is None else np.array(kinds)
    return duplicates.pairs(fingerprints.table(prints, len(pixels)), kinds, features)


def test_equal_pixels_are_exact_whatever_their_features():
    assert found([b"a", b"b", b"a", b"c"], [0, 2**63 - 1, 0, 1023]) == [Pair(0, 2, "exact", 0)]


def test_looks_of_few_differing_bits_and_like_features_are_near():
    looks = [0b0, 0b1111_1111, 0b1111_0000_0000_0000, 0b1_1111_1111]
    # Photo 2 is another by its features, photo 3 differs from the first in 9 bits.
    assert found([b"a", b"b", b"c", b"d"], looks) == [
        Pair(0, 1, "near", 8),
        Pair(1, 3, "near", 1),
    ]


def test_copies_are_paired_with_the_first_of_each_kind():
    pixels, looks, kinds = [b"a"] * 5 + [b"b"], [0] * 5 + [1], [0, 0, 0, 1, 1, 0]
    both = found(pixels, looks, np.ones((6, 2), np.float32), kinds)
    exact = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 3), (2, 3), (3, 4)]
    assert [one[:2] for one in both if one.kind == "exact"] == exact
    assert [one[:2] for one in both if one.kind == "near"] == [(row, 5) for row in range(5)]


def test_pairs_are_as_many_as_copies_and_not_their_square():
    count = 3000
    assert len(found([b"a"] * count, [3] * count, np.ones((count, 1), np.float32))) == count - 1


def test_flat_photos_have_no_look_to_be_near_by():
    assert found([b"a", b"b", b"c", b"d"], [None, None, None, 0]) == []


def test_photos_of_one_picture_are_counted_together():
    pairs = [Pair(0, 3, "near", 1), Pair(3, 4, "exact", 0)]
    assert duplicates.pictures(6, pairs).tolist() == [0, 1, 2, 0, 0, 3]
    assert duplicates.pictures(2, []).tolist() == [0, 1]


@pytest.mark.parametrize("count", [1, 0])
def test_few_photos(count):
    assert found([b"a"] * count, [1] * count, ALIKE[:count]) == []


def test_near_looks_are_those_of_all_pairs():
    generator = np.random.default_rng(3)
    looks = generator.integers(0, 2**64, 300, dtype=np.uint64)
    looks[:20] = looks[0]
    for row in range(20, 200):
        bits = generator.permutation(64)[: generator.integers(0, 12)]
        changed = np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64), initial=0)
        looks[row] = looks[row - 20] ^ changed

    found = list(zip(*np.divmod(duplicates.near_looks(looks), len(looks)), strict=True))

    differing = np.bitwise_count(looks[:, np.newaxis] ^ looks)
    expected = np.argwhere(np.triu(differing <= duplicates.GREATEST_DIFFERING_BITS, 1))
    assert found == list(map(tuple, expected.tolist()))
    assert len(found) > 190 + 50
