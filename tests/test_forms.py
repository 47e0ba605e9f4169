import cv2
import numpy as np
import pytest

from imago.images import forms
from imago.images.forms import Form


def noise(*shape):
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


def form(*shape, fit="stretch", interpolation="area"):
    return Form(shape, fit, interpolation)


def test_rgb_to_grayscale_is_bt601_luma():
    colors = np.array(
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [100, 50, 200]],
        np.uint8,
    ).reshape(2, 3, 3)

    gray = forms.convert(colors, form(2, 3, 1))

    # 0.299 x 255 = 76.2, 0.587 x 255 = 149.7, 0.114 x 255 = 29.1, and 29.9 + 29.35 + 22.8 = 82.05
    assert gray.tolist() == [[[76], [150], [29]], [[255], [0], [82]]]


def test_grayscale_to_rgb_repeats_the_channel():
    rgb = forms.convert(np.array([[[7], [250]]], np.uint8), form(1, 2, 3))

    assert rgb.tolist() == [[[7, 7, 7], [250, 250, 250]]]


def test_area_averages_where_an_image_shrinks():
    picture = np.array([0, 0, 0, 100, 40, 0, 0, 0], np.uint8).reshape(1, 8, 1)

    # Interpolation would look at the two middle pixels of each four, and give 0 and 0.
    assert forms.convert(picture, form(1, 2, 1)).tolist() == [[[25], [10]]]


def test_area_turns_a_fine_pattern_to_gray():
    stripes = np.tile(np.array([0, 0, 255], np.uint8), (96, 32))[..., np.newaxis]

    assert np.unique(forms.convert(stripes, form(16, 16, 1))).tolist() == [85]


@pytest.mark.parametrize("interpolation", ["area", "linear"])
def test_growing_interpolates(interpolation):
    picture = np.array([0, 100], np.uint8).reshape(1, 2, 1)

    # New pixel centres lie at 0 - 1/4, 1/4, 3/4 and 1 + 1/4 of the way; the ends are repeated.
    grown = forms.convert(picture, form(1, 4, 1, interpolation=interpolation))
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

    shrunk = forms.convert(picture, form(1, 2, 1, interpolation=interpolation))
    assert shrunk.ravel().tolist() == expected


@pytest.mark.parametrize("interpolation", ["cubic", "lanczos"])
def test_wider_kernels_overshoot_at_an_edge_and_are_held_in_range(interpolation):
    edge = np.repeat(np.array([10, 245], np.uint8), 8).reshape(1, 16, 1)

    grown = forms.convert(edge, form(1, 64, 1, interpolation=interpolation)).astype(int)
    assert grown.min() < 10
    assert grown.max() > 245


def test_each_side_is_shrunk_or_grown_by_itself():
    picture = np.array([[0], [10], [100], [110]], np.uint8).reshape(4, 1, 1)

    assert forms.convert(picture, form(2, 2, 1))[..., 0].tolist() == [[5, 5], [105, 105]]


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
    converted = forms.convert(WIDE, form(2, 2, 1, fit=fit))

    np.testing.assert_allclose(converted[..., 0], expected, atol=0.5)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_fit_treats_both_sides_alike(fit):
    wide = forms.convert(noise(8, 24, 3), form(6, 6, 3, fit=fit))
    tall = forms.convert(noise(8, 24, 3).transpose(1, 0, 2), form(6, 6, 3, fit=fit))

    np.testing.assert_allclose(wide.transpose(1, 0, 2), tall, atol=1)


def test_pad_centres_the_image():
    padded = forms.convert(np.full((2, 6, 1), 9, np.uint8), form(6, 6, 1, fit="pad"))

    assert padded[..., 0].tolist() == [[0] * 6] * 2 + [[9] * 6] * 2 + [[0] * 6] * 2


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_extreme_proportions(fit):
    assert forms.convert(noise(1, 500, 3), form(4, 4, 3, fit=fit)).shape == (4, 4, 3)
    assert forms.convert(noise(500, 1, 1), form(4, 4, 1, fit=fit)).shape == (4, 4, 1)


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        pytest.param("stretch", 3.0, id="stretch: the side that shrinks less"),
        pytest.param("crop", 3.0, id="crop: the middle, of 300 by 300"),
        pytest.param("pad", 9.0, id="pad: 100 by 33 of it"),
    ],
)
def test_shrinking(fit, expected):
    wanted = form(100, 100, 3, fit=fit)
    assert wanted.shrinking(300, 900) == wanted.shrinking(900, 300) == pytest.approx(expected, 0.02)
    assert form(100, 50, 3, fit=fit).shrinking(300, 150) == 3
    assert wanted.shrinking(50, 50) == 0.5
    assert form(9, 9, 3, fit=fit, interpolation="nearest").shrinking(900, 900) == 1


def test_shrinking_of_extreme_proportions():
    assert form(64, 64, 3, fit="pad").shrinking(3, 10_000) == 3  # to one row, which is the least


@pytest.mark.parametrize("shape", [(400, 400), (375, 500), (257, 511)])
def test_photos_two_to_four_times_as_large_are_averaged_nearly_over_areas(shape):
    photo = cv2.GaussianBlur(noise(*shape, 3), (0, 0), 1.5)

    found = forms.convert(photo, form(128, 128, 3)).astype(float)

    expected = cv2.resize(photo.astype(np.float64), (128, 128), interpolation=cv2.INTER_AREA)
    linear = cv2.resize(photo, (128, 128), interpolation=cv2.INTER_LINEAR)
    assert abs(found - expected).mean() < 0.3 * abs(linear - expected).mean()
    assert abs(found.mean() - expected.mean()) < 0.2


@pytest.mark.parametrize("channels", [1, 3])
def test_areas_of_whole_pixels_are_averaged_as_they_are(channels):
    picture = noise(12, 9, channels)

    expected = picture.reshape(4, 3, 3, 3, channels).mean(axis=(1, 3))
    np.testing.assert_allclose(forms.convert(picture, form(4, 3, channels)), expected, atol=0.51)
