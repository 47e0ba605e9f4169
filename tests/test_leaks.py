import numpy as np
import pytest

from imago.datasets.image_folder import leaks
from imago.datasets.image_folder.inspection import Photo
from imago.photos.fingerprints import Fingerprint

FIVE_BITS = 0b11111


def photo(path, split="train", class_name="cat", pixels=None, look=None):
    return Photo(
        path=path,
        split=split,
        class_name=class_name,
        width_px=4,
        height_px=3,
        file_bytes=9,
        sha256=bytes(32),
        fingerprint=Fingerprint(path.encode() if pixels is None else pixels, look),
    )


def found(train=(), validation=(), test=()):
    splits = {"train": train, "validation": validation, "test": test}
    return [
        (leak.photo.path, leak.other.path, leak.kind, leak.differing_bits)
        for leak in leaks.find({name: list(some) for name, some in splits.items() if some})
    ]


def test_equal_pixels_are_an_exact_leak():
    train = [photo("a", look=7), photo("b", pixels=b"x", look=0), photo("c", pixels=b"x", look=0)]
    assert found(train, test=[photo("t", pixels=b"x", look=0)]) == [("t", "b", "exact", 0)]


@pytest.mark.parametrize("look", [0, 0b1, 0b1111, 1 << 63])
def test_looks_that_differ_in_four_bits_or_fewer_are_near(look):
    train = [photo("far", look=2**64 - 1), photo("near", look=look)]
    assert found(train, test=[photo("t", look=0)]) == [("t", "near", "near", look.bit_count())]


def test_looks_that_differ_in_five_bits_are_no_leak():
    assert found([photo("a", look=FIVE_BITS)], test=[photo("t", look=0)]) == []


def test_the_nearest_is_listed_and_exact_before_near():
    train = [photo("a", look=0b11), photo("b", look=0b1), photo("c", look=0b1)]
    test = [photo("t", look=0), photo("u", look=0b1, pixels=b"c")]
    assert found(train, test=test) == [("t", "b", "near", 1), ("u", "c", "exact", 0)]


def test_the_nearest_is_that_of_all_pairs():
    """Of many that are near, the first among the nearest."""
    generator = np.random.default_rng(6)
    some = [int(look) for look in generator.integers(0, 2**64, 5, dtype=np.uint64)]
    changes = [sum(1 << bit for bit in generator.permutation(64)[:4].tolist()) for _ in range(200)]
    looks = [some[row % 5] ^ (change if row % 3 else 0) for row, change in enumerate(changes)]
    train = [photo(f"a{row}", look=look if row % 7 else None) for row, look in enumerate(looks)]
    test = [photo(f"t{row}", look=look ^ 1) for row, look in enumerate(looks[:50])]

    expected = []
    for one in test:
        differing = [
            64 if other.fingerprint.look is None
            else (one.fingerprint.look ^ other.fingerprint.look).bit_count()
            for other in train
        ]  # fmt: skip
        if min(differing) <= 4:
            nearest = train[differing.index(min(differing))].path
            expected.append((one.path, nearest, "near", min(differing)))
    assert found(train, test=test) == expected
    assert len(expected) > 20


def test_flat_photos_leak_by_their_pixels_alone():
    train = [photo("white"), photo("black")]
    test = [photo("gray"), photo("t", pixels=b"black")]
    assert found(train, test=test) == [("t", "black", "exact", 0)]


def test_every_split_is_compared_with_those_that_the_model_sees_before_it():
    assert found(
        train=[photo("a", pixels=b"x"), photo("b", pixels=b"z")],
        validation=[photo("v", "validation", pixels=b"x"), photo("w", "validation", pixels=b"y")],
        test=[photo("t", "test", pixels=b"x"), photo("u", "test", pixels=b"y")],
    ) == [
        ("t", "a", "exact", 0),
        ("t", "v", "exact", 0),
        ("u", "w", "exact", 0),
        ("v", "a", "exact", 0),
    ]


def test_copies_within_a_split_are_no_leak():
    assert found([photo("a", pixels=b"x"), photo("b", pixels=b"x")], test=[photo("t")]) == []


def cats_and_dogs(cats, dogs):
    return [
        photo(f"{name}{number}", class_name=name, pixels=f"{number * 7919 % 997}{name}".encode())
        for name, count in (("cat", cats), ("dog", dogs))
        for number in range(count)
    ]


def drawn(photos, fraction):
    return [
        one.path
        for one, is_drawn in zip(photos, leaks.draw(photos, fraction), strict=True)
        if is_drawn
    ]


@pytest.mark.parametrize(
    ("fraction", "cats", "dogs"), [(0.2, 8, 2), (0.5, 20, 5), (0.01, 1, 1), (0.99, 39, 9)]
)
def test_draw_takes_the_share_of_each_class_but_neither_none_nor_all(fraction, cats, dogs):
    paths = drawn(cats_and_dogs(40, 10), fraction)
    assert [sum(path.startswith(name) for path in paths) for name in ("cat", "dog")] == [cats, dogs]


def test_draw_does_not_depend_on_the_order():
    photos = cats_and_dogs(40, 10)
    assert sorted(drawn(photos[::-1], 0.3)) == sorted(drawn(photos, 0.3))


def test_draw_leaves_most_photos_where_they_were_when_one_is_added():
    before = set(drawn(cats_and_dogs(40, 10), 0.3))
    after = set(drawn(cats_and_dogs(41, 10), 0.3))
    assert len(before ^ after) <= 2


def test_draw_keeps_copies_together():
    photos = [
        photo(f"{number}{copy}", pixels=bytes([number]))
        for number in range(10)
        for copy in ("a", "b")
    ]
    assert drawn(photos, 0.3) == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_draw_keeps_copies_in_two_classes_together():
    photos = [
        photo(f"{name}{number}", class_name=name, pixels=bytes([number]))
        for name in ("cat", "dog")
        for number in range(4)
    ]
    assert drawn(photos, 0.25) == ["cat0", "dog0"]


def test_draw_gives_none_of_a_class_of_one_picture():
    photos = [
        *cats_and_dogs(5, 0),
        photo("x", class_name="dog"),
        photo("y", class_name="dog", pixels=b"x"),
    ]
    assert len(drawn(photos, 0.5)) == 2
    assert not {"x", "y"} & set(drawn(photos, 0.5))
