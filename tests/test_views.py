import itertools

import numpy as np
import pytest

from imago.core import sections, workers
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
        monkeypatch.setattr(workers.os, "cpu_count", lambda count=count: count)
        found.append(interleaved(IMAGES, rows))

    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_few_blocks_are_held_at_a_time(monkeypatch):
    monkeypatch.setattr(workers.os, "cpu_count", lambda: 2)
    asked_for = []

    def blocks():
        for index in range(100):
            asked_for.append(index)
            yield IMAGES[:2]

    made = views.interleaved(blocks(), 2, dealt(draws(200)))

    assert asked_for == []
    assert len(next(made)) == 3  # an image, by one core, and its copies
    assert len(asked_for) <= workers.AHEAD + 1


def test_blocks_of_many_copies_are_no_larger(monkeypatch):
    monkeypatch.setattr(workers.os, "cpu_count", lambda: 1)
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
