import hashlib
from collections import Counter

import numpy as np
import pytest

from imago.datasets.image_folder import groups
from imago.datasets.image_folder.inspection import Photo
from imago.photos.fingerprints import Fingerprint

SHARES = {"test": 0.2, "validation": 0.1}
LOOKS = np.random.default_rng(1).integers(0, 2**63, 10_000).tolist()


def photo(number, class_name="cat", pixels=None, look=None, group=None):
    content = f"{class_name}{number}" if pixels is None else pixels
    return Photo(
        path=f"{class_name}/{number}",
        split="train",
        class_name=class_name,
        width_px=4,
        height_px=3,
        file_bytes=9,
        sha256=bytes(32),
        fingerprint=Fingerprint(hashlib.sha256(content.encode()).digest(), look),
        group=group,
    )


def drawn(photos, shares=SHARES):
    splits = groups.draw(photos, shares)
    return {one.path: split for one, split in zip(photos, splits, strict=True)}


def test_what_belongs_together():
    photos = [
        photo(0, look=0b1),
        photo(1, look=2**40 - 1),
        photo(2, look=0b11110),  # 5 bits from the first
        photo(3, pixels="cat1"),  # equal to the second
        photo(4, look=0b0111),  # 2 bits from the first, 3 from the third
        photo(5, group="a"),
        photo(6, group="b"),
        photo(7, group="a"),
        *(photo(n) for n in range(8, 20)),  # of no look
    ]

    found = groups.together(photos)

    assert [rows for rows in found if len(rows) > 1] == [[0, 2, 4], [1, 3], [5, 7]]
    assert sorted(row for rows in found for row in rows) == list(range(20))


def test_the_look_of_a_class_is_no_look_of_a_picture():
    photos = [photo(n, look=n % 4, group="a" if n < 2 else None) for n in range(9)]
    photos += [photo(n, look=LOOKS[n]) for n in range(9, 20)]

    found = groups.together(photos)  # 9 of 20 look alike

    assert [rows for rows in found if len(rows) > 1] == [[0, 1]]


def test_shares():
    photos = [photo(n, name) for name in ("cat", "dog") for n in range(1000)]
    counts = Counter((path[:3], split) for path, split in drawn(photos).items())

    for name in ("cat", "dog"):
        assert counts[name, "test"] == pytest.approx(200, abs=40)
        assert counts[name, "validation"] == pytest.approx(100, abs=30)


def test_a_new_photo_moves_no_other():
    photos = [photo(n, look=LOOKS[n]) for n in range(300)]
    before = drawn(photos)
    for n in range(300, 330):
        after = drawn([*photos, photo(n, look=LOOKS[n])])
        assert {path: after[path] for path in before} == before
    assert drawn(photos[7:]) == dict(list(before.items())[7:])


def test_the_order_does_not_matter():
    photos = [photo(n, look=LOOKS[n]) for n in range(100)]
    assert drawn(photos[::-1]) == drawn(photos)


def test_groups_and_look_alikes_are_in_one_split():
    photos = [photo(n, group=f"patient {n // 7}", look=LOOKS[n // 3]) for n in range(300)]
    found = drawn(photos)

    for rows in groups.together(photos):
        assert len({found[photos[row].path] for row in rows}) == 1
    assert set(found.values()) == {"train", "test", "validation"}


def test_a_named_group_stays_where_it_is_whatever_joins_it():
    photos = [photo(n, group=f"patient {n % 40}") for n in range(80)]
    more = [photo(n, group=f"patient {n % 40}") for n in range(80, 160)]
    after = drawn([*photos, *more])

    assert {path: after[path] for path in drawn(photos)} == drawn(photos)


@pytest.mark.parametrize("count", [2, 3, 4, 9])
@pytest.mark.parametrize("shares", [{"test": 0.01}, {"test": 0.99}, SHARES], ids=str)
def test_small_classes_have_some_in_each_split(count, shares):
    photos = [photo(n, name) for name in "abcdefgh" for n in range(count)]
    found = drawn(photos, shares)

    for name in "abcdefgh":
        splits = {split for path, split in found.items() if path[0] == name}
        wanted = [*shares, "train"]
        assert len(splits) == min(count, len(wanted))
        assert {"train", "test"} <= splits


def test_a_class_of_one_group_is_for_one_split():
    photos = [photo(n, name, group="a" if name == "a" else None) for name in "ab" for n in range(9)]
    found = drawn(photos)

    assert len({split for path, split in found.items() if path[0] == "a"}) == 1
