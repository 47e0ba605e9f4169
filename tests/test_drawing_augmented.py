import itertools

import numpy as np
import pytest
from PIL import Image

from imago.data import arrays
from imago.drawing import augmented, canvas

LONG = "Great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias"


def noise(*shape):
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


def no_views(originals):
    return np.empty((0, *originals.shape), np.uint8)


def written(tmp_path, figure):
    """Write a figure and read its pixels, (H, W, 3) uint8."""
    canvas.write(tmp_path / "preview.png", figure)
    with Image.open(tmp_path / "preview.png") as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def cells(pixels, rows, columns, cell):
    """Cut the images out of a preview."""
    step, top, left = cell + augmented.GAP_PX, augmented.TOP_PX, augmented.LEFT_PX
    return [
        [
            pixels[top + row * step :, left + column * step :][:cell, :cell]
            for column in range(columns)
        ]
        for row in range(rows)
    ]


def titles(figure):
    return [text for text in figure.texts if text.get_rotation() == 0]


def labels(figure):
    return [text.get_text() for text in figure.texts if text.get_rotation() == 90]


@pytest.mark.parametrize("channels", [1, 3])
def test_originals_stand_above_their_views(tmp_path, channels):
    few_colors = noise(5, 1, 1, channels)[noise(3, 2, 4, 4) % 5][..., 0, 0, :]
    originals, views = few_colors[0], few_colors[1:]

    figure = augmented.preview(originals, views, ["cat", "dog"])

    # 128 pixels are the 4 of an image 32 times, without any smoothing.
    found = np.array(cells(written(tmp_path, figure), 3, 2, 128))
    expected = np.broadcast_to(few_colors, (3, 2, 4, 4, 3)).repeat(32, axis=2).repeat(32, axis=3)
    np.testing.assert_array_equal(found, expected)
    assert [title.get_text() for title in titles(figure)] == ["cat", "dog"]
    assert labels(figure) == ["original", "augmented", "augmented"]


def test_dark_gray_images_are_not_stretched_to_white(tmp_path):
    originals = np.array([[[[0], [40]]]], np.uint8)

    pixels = written(tmp_path, augmented.preview(originals, no_views(originals), ["dim"]))

    assert np.unique(cells(pixels, 1, 1, 128)[0][0][:64]).tolist() == [0, 40]


@pytest.mark.parametrize(
    ("shape", "cell"),
    [
        ((1, 28, 28, 1), 112),
        ((1, 64, 64, 3), 128),
        ((1, 100, 100, 3), 100),
        ((1, 224, 224, 3), 128),
        ((1, 600, 400, 3), 128),
        ((16, 28, 28, 1), 84),
    ],
    ids=str,
)
def test_the_size_follows_from_the_images(tmp_path, shape, cell):
    originals = noise(*shape)
    views = noise(1, *shape)

    pixels = written(tmp_path, augmented.preview(originals, views, ["a"] * len(originals)))

    width = augmented.LEFT_PX + len(originals) * (cell + augmented.GAP_PX)
    assert pixels.shape == (augmented.TOP_PX + 2 * (cell + augmented.GAP_PX), width, 3)


def test_file_is_small_even_for_noise(tmp_path):
    originals, views = noise(8, 128, 128, 3), noise(3, 8, 128, 128, 3)

    canvas.write(tmp_path / "preview.png", augmented.preview(originals, views, ["a"] * 8))

    assert (tmp_path / "preview.png").stat().st_size < 450_000  # a byte for each pixel, at most


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat", "cat"),
        ("golden retriever", "golden retriever"),
        ("$5 & $6_b", "$5 & $6_b"),
        ("German shorthaired pointer", "German shorthaired\npointer"),
        (LONG, "Great white shark,\nwhite shark, man-…"),
    ],
)
def test_class_names_are_wrapped_and_cut(name, shown):
    originals = noise(1, 32, 32, 3)

    figure = augmented.preview(originals, no_views(originals), [name])

    assert [title.get_text() for title in titles(figure)] == [shown]


@pytest.mark.parametrize("name", [LONG, "W" * 90, "i" * 200, "a_b" * 20], ids=str)
def test_class_names_do_not_overlap(name):
    originals = noise(2, 70, 70, 1)

    figure = augmented.preview(originals, no_views(originals), [name] * 2)

    boxes = [title.get_window_extent() for title in titles(figure)]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert boxes[0].x0 >= 0
    assert boxes[-1].x1 <= figure.bbox.x1
    assert all(box.y1 <= figure.bbox.y1 for box in boxes)


def test_equal_figures_are_equal_bytes_without_a_date(tmp_path):
    originals, views = noise(2, 9, 9, 3), noise(1, 2, 9, 9, 3)
    for name in ("one.png", "two.png"):
        canvas.write(tmp_path / name, augmented.preview(originals, views, ["a", "b"]))

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        picture.load()
        assert picture.info == {}


def test_a_name_for_each_image_is_needed():
    originals = noise(2, 8, 8, 1)

    with pytest.raises(ValueError, match="longer"):
        augmented.preview(originals, no_views(originals), ["cat"])


def split_of(labels, copies):
    """A training split whose images all differ, and name themselves: image 3, copy 2 is 32."""
    count = len(labels)
    values = 10 * np.arange(count)[:, np.newaxis] + np.arange(1 + copies)
    images = values.astype(np.uint8).reshape(-1, 1, 1, 1)
    return arrays.Split(images, np.repeat(np.array(labels, np.int32), 1 + copies))


def sampled(labels, copies, class_count):
    originals, made, found = augmented.sample(split_of(labels, copies), copies, class_count)
    assert originals.shape[1:] == (1, 1, 1)
    assert made.shape == (copies, len(originals), 1, 1, 1)
    assert (originals.dtype, made.dtype, found.dtype) == (np.uint8, np.uint8, np.int32)
    return originals.ravel().tolist(), made.reshape(copies, len(found)).tolist(), found.tolist()


def test_sample_has_as_many_of_each_class(monkeypatch):
    monkeypatch.setattr(augmented, "IMAGES_SHOWN", 4)
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
