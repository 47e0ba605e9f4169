import numpy as np
import pytest

from imago import arrays, images, schema
from imago.arrays import Statistics
from imago.images import Form


def noise(*shape):
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


def form(*shape, fit="stretch", interpolation="area"):
    return Form(shape, fit, interpolation)


def everything(count):
    return np.arange(count)


@pytest.mark.parametrize(("color", "expected"), [("grayscale", (28, 28, 1)), ("rgb", (28, 28, 3))])
def test_form_of_a_variant(color, expected):
    variant = schema.Prepare(
        dataset="pets",
        image_size_px=28,
        color=color,
        fit="pad",
        interpolation="linear",
        validation_fraction=0.0,
    )
    assert images.form(variant) == Form(expected, "pad", "linear")


def test_right_images_are_not_converted():
    pictures = noise(4, 5, 5, 3)

    assert images.convert(pictures[0], form(5, 5, 3)).base is pictures
    (block,) = images.converted(pictures, everything(4), form(5, 5, 3))
    np.testing.assert_array_equal(block, pictures)


def test_rgb_to_grayscale_is_bt601_luma():
    colors = np.array(
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [100, 50, 200]],
        np.uint8,
    ).reshape(2, 3, 3)

    gray = images.convert(colors, form(2, 3, 1))

    # 0.299 x 255 = 76.2, 0.587 x 255 = 149.7, 0.114 x 255 = 29.1, and 29.9 + 29.35 + 22.8 = 82.05
    assert gray.tolist() == [[[76], [150], [29]], [[255], [0], [82]]]


def test_grayscale_to_rgb_repeats_the_channel():
    rgb = images.convert(np.array([[[7], [250]]], np.uint8), form(1, 2, 3))

    assert rgb.tolist() == [[[7, 7, 7], [250, 250, 250]]]


def test_area_averages_where_an_image_shrinks():
    picture = np.array([0, 0, 0, 100, 40, 0, 0, 0], np.uint8).reshape(1, 8, 1)

    # Interpolation would look at the two middle pixels of each four, and give 0 and 0.
    assert images.convert(picture, form(1, 2, 1)).tolist() == [[[25], [10]]]


def test_area_turns_a_fine_pattern_to_gray():
    stripes = np.tile(np.array([0, 0, 255], np.uint8), (96, 32))[..., np.newaxis]

    assert np.unique(images.convert(stripes, form(16, 16, 1))).tolist() == [85]


@pytest.mark.parametrize("interpolation", ["area", "linear"])
def test_growing_interpolates(interpolation):
    picture = np.array([0, 100], np.uint8).reshape(1, 2, 1)

    # New pixel centres lie at 0 - 1/4, 1/4, 3/4 and 1 + 1/4 of the way; the ends are repeated.
    grown = images.convert(picture, form(1, 4, 1, interpolation=interpolation))
    assert grown.ravel().tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        pytest.param("linear", [0, 20], id="linear: between the two middle pixels of each four"),
        pytest.param("nearest", [0, 40], id="nearest: one pixel of each four"),
    ],
)
def test_shrinking_without_areas_looks_at_few_pixels(interpolation, expected):
    picture = np.array([90, 0, 0, 100, 40, 0, 40, 0], np.uint8).reshape(1, 8, 1)

    shrunk = images.convert(picture, form(1, 2, 1, interpolation=interpolation))
    assert shrunk.ravel().tolist() == expected


@pytest.mark.parametrize("interpolation", ["cubic", "lanczos"])
def test_wider_kernels_overshoot_at_an_edge_and_are_held_in_range(interpolation):
    edge = np.repeat(np.array([10, 245], np.uint8), 8).reshape(1, 16, 1)

    grown = images.convert(edge, form(1, 64, 1, interpolation=interpolation)).astype(int)
    assert grown.min() < 10
    assert grown.max() > 245


def test_each_side_is_shrunk_or_grown_by_itself():
    picture = np.array([[0], [10], [100], [110]], np.uint8).reshape(4, 1, 1)

    assert images.convert(picture, form(2, 2, 1))[..., 0].tolist() == [[5, 5], [105, 105]]


WIDE = np.arange(2 * 6, dtype=np.uint8).reshape(2, 6, 1)
"""Two rows, 0 to 5 and 6 to 11."""


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        pytest.param("stretch", [[1, 4], [7, 10]], id="stretch: each third, averaged"),
        pytest.param("crop", [[2, 3], [8, 9]], id="crop: the middle"),
        pytest.param("pad", [[4, 7], [0, 0]], id="pad: one row for both, and a black one"),
    ],
)
def test_fit_of_a_wide_image(fit, expected):
    converted = images.convert(WIDE, form(2, 2, 1, fit=fit))

    np.testing.assert_allclose(converted[..., 0], expected, atol=0.5)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_fit_treats_both_sides_alike(fit):
    wide = images.convert(noise(8, 24, 3), form(6, 6, 3, fit=fit))
    tall = images.convert(noise(8, 24, 3).transpose(1, 0, 2), form(6, 6, 3, fit=fit))

    np.testing.assert_allclose(wide.transpose(1, 0, 2), tall, atol=1)


def test_pad_centres_the_image():
    padded = images.convert(np.full((2, 6, 1), 9, np.uint8), form(6, 6, 1, fit="pad"))

    assert padded[..., 0].tolist() == [[0] * 6] * 2 + [[9] * 6] * 2 + [[0] * 6] * 2


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_extreme_proportions(fit):
    assert images.convert(noise(1, 500, 3), form(4, 4, 3, fit=fit)).shape == (4, 4, 3)
    assert images.convert(noise(500, 1, 1), form(4, 4, 1, fit=fit)).shape == (4, 4, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(3, 3, 1), (9, 9, 3), (3, 9, 1), (6, 5, 3)], ids=str)
def test_converted_gives_what_convert_gives(monkeypatch, channels, shape):
    pictures = noise(23, 6, 5, channels)
    rows = np.array([22, 3, 4, 5, 6, 0, 11])
    expected = np.stack([images.convert(picture, form(*shape)) for picture in pictures[rows]])
    assert expected.shape == (7, *shape)
    assert expected.dtype == np.uint8

    for block_bytes in (1, 700, 10**6):
        monkeypatch.setattr(arrays, "BLOCK_BYTES", block_bytes)
        for source in (pictures, list(pictures)):
            result = np.concatenate(list(images.converted(source, rows, form(*shape))))
            np.testing.assert_array_equal(result, expected)


def test_blocks_are_bounded(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 2 * 10 * 10 * 3)

    blocks = list(images.converted(noise(5, 2, 2, 1), everything(5), form(10, 10, 3)))

    assert [len(block) for block in blocks] == [2, 2, 1]


def test_read_only_memory_maps_are_converted(tmp_path):
    np.save(tmp_path / "images.npy", noise(3, 8, 8, 3))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    converted = np.concatenate(list(images.converted(mapped, everything(3), form(4, 4, 1))))

    expected = [images.convert(picture, form(4, 4, 1)) for picture in noise(3, 8, 8, 3)]
    np.testing.assert_array_equal(converted, expected)


def statistics(*blocks):
    totals = images.Totals(blocks[0].shape[-1])
    passed = list(totals.over(iter(blocks)))
    assert [block is given for block, given in zip(passed, blocks, strict=True)]
    return totals.statistics()


def test_statistics_by_hand():
    pictures = np.array([[[[0, 10]], [[2, 10]]], [[[4, 10]], [[10, 14]]]], np.uint8)

    # Channel 0: 0, 2, 4, 10, mean 4, squared distances 16 + 4 + 0 + 36. Channel 1: 10, 10, 10, 14.
    assert statistics(pictures) == Statistics(mean=[4.0, 11.0], variance=[14.0, 3.0])


def test_statistics_of_one_value_have_no_variance():
    assert statistics(np.full((9, 7, 7, 1), 201, np.uint8)) == Statistics([201.0], [0.0])


def test_statistics_do_not_depend_on_the_blocks():
    pictures = noise(50, 7, 5, 3)
    expected = statistics(pictures)

    for parts in (2, 7, 50):
        assert statistics(*np.array_split(pictures, parts)) == expected
    np.testing.assert_allclose(expected.mean, pictures.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(expected.variance, pictures.var(axis=(0, 1, 2)), rtol=1e-12)
