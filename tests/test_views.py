import itertools

import numpy as np
import pytest

from imago.core import sections
from imago.data import arrays
from imago.images import augment
from imago.preparing import views

SETTINGS = sections.Augment(rotation_degrees=30.0, horizontal_flip=True, brightness=0.2)
IMAGES = np.random.default_rng(8).integers(0, 256, (7, 6, 5, 3), dtype=np.uint8)


def draws(count=7, copies=2):
    rows = augment.draw(SETTINGS, count * copies, np.random.default_rng(3))
    return rows.reshape(count, copies, -1)


def interleaved(images, rows, images_per_block=7):
    blocks = (
        images[start : start + images_per_block]
        for start in range(0, len(images), images_per_block)
    )
    return np.concatenate(list(views.interleaved(blocks, rows.shape[1], dealt(rows))))


def dealt(rows):
    """Deal the rows out one after the other."""
    deck = iter(rows.reshape(-1, rows.shape[-1]))
    return lambda count: np.stack(list(itertools.islice(deck, count)))


def test_copies_follow_the_image_that_they_were_made_from():
    rows = draws()

    found = interleaved(IMAGES, rows)

    assert (found.shape, found.dtype) == ((21, 6, 5, 3), np.uint8)
    for index, image in enumerate(IMAGES):
        original, *copies = found[3 * index : 3 * index + 3]
        np.testing.assert_array_equal(original, image)
        for copy, row in zip(copies, rows[index], strict=True):
            by_hand = augment.apply(image[np.newaxis], row[np.newaxis])[0]
            np.testing.assert_array_equal(copy, by_hand)
            assert not np.array_equal(copy, image)


@pytest.mark.parametrize("copies", [1, 3])
def test_number_of_copies(copies):
    found = interleaved(IMAGES, draws(copies=copies))

    assert len(found) == len(IMAGES) * (1 + copies)
    np.testing.assert_array_equal(found[:: 1 + copies], IMAGES)


@pytest.mark.parametrize("images_per_block", [1, 2, 3, 6])
def test_images_do_not_depend_on_the_block_size(images_per_block):
    rows = draws()

    found = interleaved(IMAGES, rows, images_per_block)

    np.testing.assert_array_equal(found, interleaved(IMAGES, rows))


def test_images_do_not_depend_on_the_number_of_threads(monkeypatch):
    rows, counts = draws(), [1, 2, 64]
    found = []
    for count in counts:
        monkeypatch.setattr(views.os, "cpu_count", lambda count=count: count)
        found.append(interleaved(IMAGES, rows))

    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_one_block_is_held_at_a_time():
    asked_for = []

    def blocks():
        for index in range(3):
            asked_for.append(index)
            yield IMAGES[:2]

    made = views.interleaved(blocks(), 2, dealt(draws(6)))

    assert asked_for == []
    assert [len(block) for block in (next(made), next(made))] == [6, 6]
    assert asked_for == [0, 1]


def test_blocks_of_many_copies_are_no_larger(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 2 * 5 * IMAGES[0].nbytes)
    rows = draws(copies=4)

    made = list(views.interleaved([IMAGES], 4, dealt(rows)))

    assert [len(block) for block in made] == [10, 10, 10, 5]
    np.testing.assert_array_equal(np.concatenate(made), interleaved(IMAGES, rows))


def test_grayscale_images():
    rows = draws()

    found = interleaved(IMAGES[..., :1], rows)

    by_hand = augment.apply(IMAGES[..., :1], rows[:, 1])
    np.testing.assert_array_equal(found[2::3], by_hand)


def split_of(labels, copies):
    """A training split whose images all differ, and name themselves: image 3, copy 2 is 32."""
    count = len(labels)
    values = 10 * np.arange(count)[:, np.newaxis] + np.arange(1 + copies)
    images = values.astype(np.uint8).reshape(-1, 1, 1, 1)
    return arrays.Split(images, np.repeat(np.array(labels, np.int32), 1 + copies))


def sampled(labels, copies, class_count):
    originals, made, found = views.sample(split_of(labels, copies), copies, class_count)
    assert originals.shape[1:] == (1, 1, 1)
    assert made.shape == (copies, len(originals), 1, 1, 1)
    assert (originals.dtype, made.dtype, found.dtype) == (np.uint8, np.uint8, np.int32)
    return originals.ravel().tolist(), made.reshape(copies, len(found)).tolist(), found.tolist()


def test_sample_has_as_many_of_each_class(monkeypatch):
    monkeypatch.setattr(views, "IMAGES_SHOWN", 4)
    labels = [1, 0, 1, 1, 0, 0, 1, 0]

    originals, made, found = sampled(labels, copies=2, class_count=2)

    assert originals == [10, 40, 0, 20]  # the first two of each class
    assert made == [[11, 41, 1, 21], [12, 42, 2, 22]]
    assert found == [0, 0, 1, 1]


def test_sample_of_three_classes_does_not_fill_the_row():
    _, _, found = sampled([0, 1, 2] * 7, copies=1, class_count=3)

    assert found == [0, 0, 1, 1, 2, 2]  # 8 // 3 of each


def test_sample_of_many_classes_has_one_of_the_first_ten():
    _, _, found = sampled([*range(25)], copies=1, class_count=25)

    assert found == [*range(10)]


def test_sample_of_fewer_images_than_are_wanted():
    originals, made, found = sampled([0, 1, 0], copies=1, class_count=2)

    assert (originals, made, found) == ([0, 20, 10], [[1, 21, 11]], [0, 0, 1])


def test_sample_passes_over_a_class_without_images():
    originals, _, found = sampled([2, 0, 2], copies=1, class_count=3)

    assert (originals, found) == ([10, 0, 20], [0, 2, 2])


def test_sample_without_copies():
    originals, made, found = sampled([1, 0], copies=0, class_count=2)

    assert (originals, made, found) == ([10, 0], [], [0, 1])
