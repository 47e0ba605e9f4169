"""The pairs are those of comparing all with all."""

import tracemalloc

import numpy as np
import pytest

from imago.photos import near


def families(count: int) -> np.ndarray:
    """Looks by chance, some of which are others with a few bits changed, some the same."""
    generator = np.random.default_rng(3)
    looks = generator.integers(0, 2**64, count, dtype=np.uint64)
    looks[: count // 20] = looks[0]
    for row in range(count // 20, 2 * count // 3):
        bits = generator.permutation(64)[: generator.integers(0, 12)].astype(np.uint64)
        changed = np.bitwise_or.reduce(np.uint64(1) << bits, initial=0)
        looks[row] = looks[row - count // 20] ^ changed
    return generator.permutation(looks)


def brute(looks, others, greatest):
    differing = np.bitwise_count(looks[:, np.newaxis] ^ others)
    return {(*place, differing[*place]) for place in map(tuple, np.argwhere(differing <= greatest))}


def found(looks, others, greatest):
    made = list(near.pairs(looks, others, greatest))
    return {one for some in made for one in zip(*(part.tolist() for part in some), strict=True)}


@pytest.mark.parametrize("greatest", [0, 4, 8, 20])
@pytest.mark.parametrize(("count", "of"), [(300, 900), (900, 3), (20, 1), (20, 0), (0, 20)])
def test_pairs_are_those_of_all(count, of, greatest):
    looks = families(count + of)
    looks, others = looks[:count], looks[count:]
    expected = brute(looks, others, greatest)
    assert found(looks, others, greatest) == expected
    assert expected or count * of < 1000


@pytest.mark.parametrize("at_once", [10, 1_000_000])
def test_however_many_are_compared_at_once(monkeypatch, at_once):
    monkeypatch.setattr(near, "PAIRS_AT_ONCE", at_once)
    looks = families(300)
    expected = brute(looks, looks, 8)
    assert found(looks, looks, 8) == expected
    assert len(expected) > 300 + 2 * 190


def test_few_of_all_pairs_are_compared(monkeypatch):
    """As it would be with parts of too few bits."""
    compared = []
    count = np.bitwise_count

    def counted(values):
        compared.append(len(values))
        return count(values)

    monkeypatch.setattr(near.np, "bitwise_count", counted)
    looks = np.random.default_rng(5).integers(0, 2**64, 40_000, dtype=np.uint64)
    list(near.pairs(looks[:20_000], looks[20_000:], 4))
    assert 0 < sum(compared) < 20_000**2 / 500


def test_memory_is_that_of_the_looks_and_not_of_their_tables():
    """Three tables of four million numbers of 64 bits were 87 MB for these 0.8."""
    looks = np.random.default_rng(5).integers(0, 2**64, 100_000, dtype=np.uint64)
    tracemalloc.start()
    try:
        found = sum(len(first) for first, _, _ in near.pairs(looks, looks, 8))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found >= len(looks)
    assert peak_bytes < 45_000_000
