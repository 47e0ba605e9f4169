import numpy as np
import pytest

from imago import arrays, images
from imago.arrays import Statistics


def noise(*shape):
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(("color", "expected"), [("grayscale", (28, 28, 1)), ("rgb", (28, 28, 3))])
def test_shape(color, expected):
    assert images.shape(28, color) == expected


def test_right_images_are_not_copied():
    pictures = noise(4, 5, 5, 3)

    assert images.convert(pictures, (5, 5, 3)) is pictures
    blocks = list(images.converted(pictures, None, (5, 5, 3)))
    assert all(np.shares_memory(block, pictures) for block in blocks)


def test_rgb_to_grayscale_is_bt601_luma():
    colors = np.array(
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [100, 50, 200]],
        np.uint8,
    ).reshape(1, 2, 3, 3)

    gray = images.convert(colors, (2, 3, 1))

    # 0.299 x 255 = 76.2, 0.587 x 255 = 149.7, 0.114 x 255 = 29.1, and 29.9 + 29.35 + 22.8 = 82.05
    assert gray.tolist() == [[[[76], [150], [29]], [[255], [0], [82]]]]


def test_grayscale_to_rgb_repeats_the_channel():
    rgb = images.convert(np.array([[[[7], [250]]]], np.uint8), (1, 2, 3))

    assert rgb.tolist() == [[[[7, 7, 7], [250, 250, 250]]]]


def test_shrinking_averages_areas():
    picture = np.array([[0, 0, 0, 100, 40, 0, 0, 0]], np.uint8).reshape(1, 1, 8, 1)

    # Interpolation would look at the two middle pixels of each four, and give 0 and 0.
    assert images.convert(picture, (1, 2, 1)).tolist() == [[[[25], [10]]]]


def test_shrinking_a_fine_pattern_gives_gray():
    stripes = np.tile(np.array([0, 0, 255], np.uint8), (1, 96, 32))[..., np.newaxis]

    assert np.unique(images.convert(stripes, (16, 16, 1))).tolist() == [85]


def test_enlarging_interpolates():
    picture = np.array([[0, 100]], np.uint8).reshape(1, 1, 2, 1)

    # New pixel centres lie at 0 - 1/4, 1/4, 3/4 and 1 + 1/4 of the way; the ends are repeated.
    assert images.convert(picture, (1, 4, 1)).ravel().tolist() == [0, 25, 75, 100]


def test_each_side_is_shrunk_or_enlarged_by_itself():
    picture = np.array([[0], [10], [100], [110]], np.uint8).reshape(1, 4, 1, 1)

    assert images.convert(picture, (2, 2, 1))[..., 0].tolist() == [[[5, 5], [105, 105]]]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("target", [(3, 3, 1), (9, 9, 3), (3, 9, 1), (6, 5, 3)], ids=str)
def test_converted_gives_what_convert_gives(monkeypatch, channels, target):
    pictures = noise(23, 6, 5, channels)
    rows = np.array([22, 3, 4, 5, 6, 0, 11])
    expected = images.convert(pictures[rows], target)
    assert expected.shape == (7, *target)
    assert expected.dtype == np.uint8

    for block_bytes in (1, 700, 10**6):
        monkeypatch.setattr(arrays, "BLOCK_BYTES", block_bytes)
        result = np.concatenate(list(images.converted(pictures, rows, target)))
        np.testing.assert_array_equal(result, expected)


def test_blocks_are_bounded_by_what_they_become(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 2 * 10 * 10 * 3)

    blocks = list(images.converted(noise(5, 2, 2, 1), None, (10, 10, 3)))

    assert [len(block) for block in blocks] == [2, 2, 1]


def test_read_only_memory_maps_are_converted(tmp_path):
    np.save(tmp_path / "images.npy", noise(3, 8, 8, 3))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    converted = np.concatenate(list(images.converted(mapped, None, (4, 4, 1))))

    np.testing.assert_array_equal(converted, images.convert(noise(3, 8, 8, 3), (4, 4, 1)))


def test_statistics_by_hand():
    pictures = np.array([[[[0, 10]], [[2, 10]]], [[[4, 10]], [[10, 14]]]], np.uint8)

    # Channel 0: 0, 2, 4, 10, mean 4, squared distances 16 + 4 + 0 + 36. Channel 1: 10, 10, 10, 14.
    assert images.statistics(pictures) == Statistics(mean=[4.0, 11.0], variance=[14.0, 3.0])


def test_statistics_of_one_value_have_no_variance():
    assert images.statistics(np.full((9, 7, 7, 1), 201, np.uint8)) == Statistics([201.0], [0.0])


def test_statistics_do_not_depend_on_the_block_size():
    pictures = noise(50, 7, 5, 3)
    expected = images.statistics(pictures)

    assert all(images.statistics(pictures, size) == expected for size in (1, 7, 49, 50, 51))
    np.testing.assert_allclose(expected.mean, pictures.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(expected.variance, pictures.var(axis=(0, 1, 2)), rtol=1e-12)
