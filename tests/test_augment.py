from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from imago.core import sections
from imago.images import augment

EVERYTHING = {
    "rotation_degrees": 20.0,
    "zoom": 0.3,
    "shift": 0.1,
    "horizontal_flip": True,
    "brightness": 0.2,
    "contrast": 0.4,
}
COLUMNS_OF = {
    "rotation_degrees": ["rotation"],
    "zoom": ["zoom"],
    "shift": ["shift_x", "shift_y"],
    "horizontal_flip": ["flip"],
    "brightness": ["brightness"],
    "contrast": ["contrast"],
}
"""Setting: the columns that it rules."""


def noise(*shape):
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


def draw(count=4000, seed=3, **settings):
    """Return a dict of columns."""
    draws = augment.draw(sections.Augment(**settings), count, np.random.default_rng(seed))
    assert draws.shape == (count, len(augment.COLUMNS))
    assert draws.dtype == np.float32
    return dict(zip(augment.COLUMNS, draws.T, strict=True))


def row(**changes):
    values = dict(zip(augment.COLUMNS, augment.UNCHANGED.tolist(), strict=True))
    assert changes.keys() <= values.keys()
    return np.array([list((values | changes).values())], np.float32)


def changed(picture, **changes):
    """Apply one row to one image, (H, W, C)."""
    return augment.apply(picture[np.newaxis], row(**changes))[0]


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("rotation", -20, 20),
        ("zoom", 0.7, 1.3),
        ("shift_x", -0.1, 0.1),
        ("shift_y", -0.1, 0.1),
        ("brightness", -51, 51),
        ("contrast", 0.6, 1.4),
    ],
)
def test_draws_are_uniform_in_their_range(column, low, high):
    found = draw(**EVERYTHING)[column]

    assert found.min() >= np.float32(low)
    assert found.max() <= np.float32(high)
    # Each tenth of the range holds 400 of the 4,000, with a standard deviation of 19.
    assert np.abs(np.histogram(found, 10, (low, high))[0] - 400).max() < 4 * 19


def test_half_of_the_draws_flip():
    flip = draw(**EVERYTHING)["flip"]

    assert set(flip.tolist()) == {-1.0, 1.0}
    assert abs((flip == -1).sum() - 2000) < 4 * 32  # standard deviation 32


def test_columns_are_drawn_apart():
    columns = draw(**EVERYTHING)
    correlations = np.corrcoef([columns[name] for name in augment.OTHERS])

    assert np.abs(correlations - np.eye(len(augment.OTHERS))).max() < 4 / np.sqrt(4000)


@pytest.mark.parametrize("setting", EVERYTHING)
def test_a_setting_leaves_the_draws_of_others(setting):
    everything = draw(**EVERYTHING)
    alone = draw(**{setting: EVERYTHING[setting]})
    without = draw(**{key: value for key, value in EVERYTHING.items() if key != setting})

    for column, unchanged in zip(augment.COLUMNS, augment.UNCHANGED, strict=True):
        on, off = (alone, without) if column in COLUMNS_OF[setting] else (without, alone)
        np.testing.assert_array_equal(on[column], everything[column])
        assert set(off[column].tolist()) == {unchanged}


CROP = {"least_area": 0.25, "greatest_stretch": 2.0}


def test_crops_lie_within_the_image():
    columns = draw(random_resized_crop=CROP)
    width, height = columns["crop_width"], columns["crop_height"]

    for center, side in (("crop_x", width), ("crop_y", height)):
        assert np.abs(columns[center]).max() > 0.2
        assert (np.abs(columns[center]) <= (1 - side) / 2 + 1e-6).all()
        assert side.max() == 1
    assert 1.9 < (width / height).max() < 2.001
    assert 0.499 < (width / height).min() < 0.53
    unchanged = augment.UNCHANGED[len(augment.CROP) :]
    others = np.stack([columns[name] for name in augment.OTHERS], axis=1)
    np.testing.assert_array_equal(others, np.tile(unchanged, (4000, 1)))


def test_areas_of_crops_are_uniform():
    columns = draw(random_resized_crop=CROP | {"greatest_stretch": 1.0})
    area = columns["crop_width"] * columns["crop_height"]

    assert np.abs(np.histogram(area, 10, (0.25, 1))[0] - 400).max() < 4 * 19


def test_what_has_no_crop_keeps_the_draws_that_it_had():
    """Those of one array of seven columns, as they were before there was a crop."""
    uniform = np.random.default_rng(3).uniform(-1, 1, (4000, 7))
    columns = draw(**EVERYTHING)

    for index, name in enumerate(augment.OTHERS[1:], 1):
        low, high = columns[name].min(), columns[name].max()
        expected = (uniform[:, index] + 1) / 2
        np.testing.assert_allclose((columns[name] - low) / (high - low), expected, atol=2e-3)


def test_a_crop_is_brought_to_the_size_of_the_whole():
    ramp = np.tile(np.array([0, 40, 80, 120], np.uint8), (4, 1))[..., np.newaxis]

    # Half of the width, its centre a quarter to the right of 1.5: from 1.75 to 3.25, mirrored.
    found = changed(ramp, crop_x=0.25, crop_width=0.5, crop_height=0.5)
    assert found[..., 0].tolist() == [[70, 90, 110, 110]] * 4
    flipped = changed(ramp, crop_x=0.25, crop_width=0.5, crop_height=0.5, flip=-1)
    np.testing.assert_array_equal(flipped, found[:, ::-1])


@pytest.mark.parametrize(
    "settings", [EVERYTHING, {"random_resized_crop": CROP}], ids=["all", "crop"]
)
def test_draws_follow_from_the_seed(settings):
    settings = sections.Augment(**settings)
    first, again, other = (
        augment.draw(settings, 6, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    generator = np.random.default_rng(1)
    halves = [augment.draw(settings, 3, generator) for _ in range(2)]

    assert first.tobytes() == again.tobytes() == np.concatenate(halves).tobytes()
    assert (first != other).all(axis=0).any()


def test_the_widest_zoom_keeps_images_finite():
    zoom = draw(zoom=0.9)["zoom"]

    assert zoom.min() > 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 33], ids=["even", "odd"])
class TestExact:
    def test_unchanged(self, size, channels):
        picture = noise(size, size + 3, channels)
        np.testing.assert_array_equal(changed(picture), picture)

    def test_flip(self, size, channels):
        picture = noise(size, size + 3, channels)
        np.testing.assert_array_equal(changed(picture, flip=-1), picture[:, ::-1])

    @pytest.mark.parametrize("quarters", [-1, 1, 2])
    def test_quarter_turns(self, size, channels, quarters):
        picture = noise(size, size, channels)
        turned = changed(picture, rotation=90 * quarters)
        np.testing.assert_array_equal(turned, np.rot90(picture, quarters))

    def test_shift_by_whole_pixels(self, size, channels):
        picture = noise(size, size + 3, channels)
        shifted = changed(picture, shift_x=2 / (size + 3), shift_y=-3 / size)
        np.testing.assert_array_equal(shifted[:-3, 2:], picture[3:, :-2])

    def test_flip_comes_before_rotation_and_shift_after(self, size, channels):
        picture = noise(size, size, channels)
        result = changed(picture, flip=-1, rotation=90, shift_x=1 / size)
        np.testing.assert_array_equal(result[:, 1:], np.rot90(picture[:, ::-1])[:, :-1])


def test_what_comes_in_is_mirrored():
    picture = np.array([[10, 20, 30, 40, 50]], np.uint8)[..., np.newaxis]

    assert changed(picture, shift_x=0.4)[..., 0].tolist() == [[30, 20, 10, 20, 30]]


def test_zoom_above_1_enlarges_about_the_centre():
    ramp = np.tile(np.array([0, 40, 80, 120], np.uint8), (4, 1))[..., np.newaxis]

    # Centre 1.5; the result's pixels 0 to 3 lie at 0.75, 1.25, 1.75 and 2.25 of the image.
    assert changed(ramp, zoom=2)[..., 0].tolist() == [[30, 50, 70, 90]] * 4
    # And here at -1.5, 0.5, 2.5 and 4.5, the outer two mirrored to 1.5.
    assert changed(ramp, zoom=0.5)[..., 0].tolist() == [[60, 20, 100, 60]] * 4


@pytest.mark.parametrize("channels", [1, 3])
def test_everything_at_once_is_one_bilinear_interpolation(channels):
    height, width = 24, 31
    picture = ndimage.gaussian_filter(noise(height, width, channels), (2, 2, 0))
    angle, zoom, shift_x, shift_y = np.deg2rad(17), 0.8, 0.1, -0.15

    turned = np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )  # of (y, x)
    matrix = np.linalg.inv(zoom * turned.T @ np.diag([1, -1]))
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    shift = np.array([shift_y * height, shift_x * width])
    offset = middle - matrix @ (middle + shift)
    expected = np.stack(
        [
            ndimage.affine_transform(
                picture[..., channel].astype(float), matrix, offset, order=1, mode="mirror"
            )
            for channel in range(channels)
        ],
        axis=-1,
    )

    found = changed(picture, flip=-1, rotation=17, zoom=zoom, shift_x=shift_x, shift_y=shift_y)
    np.testing.assert_allclose(found, expected, atol=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"contrast": 0.5}, [50, 100, 150]),
        ({"contrast": 1.2}, [0, 100, 220]),
        ({"brightness": 60}, [60, 160, 255]),
        ({"brightness": -30}, [0, 70, 170]),
        ({"brightness": 0.6}, [1, 101, 201]),
        ({"contrast": 0.5, "brightness": -60}, [0, 40, 90]),
    ],
    ids=str,
)
def test_contrast_about_the_mean_then_brightness(changes, expected):
    picture = np.array([[[0], [100], [200]]], np.uint8)

    assert changed(picture, **changes).ravel().tolist() == expected


def test_the_mean_is_that_of_all_channels():
    picture = np.array([[[0, 30, 60], [60, 60, 90]]], np.uint8)  # mean 50

    assert changed(picture, contrast=0.5).tolist() == [[[25, 40, 55], [55, 55, 70]]]


def test_every_image_has_its_own_row():
    pictures = noise(3, 6, 6, 3)
    rows = np.concatenate([row(flip=-1), row(), row(brightness=255)])

    result = augment.apply(pictures, rows)

    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result[0], pictures[0, :, ::-1])
    np.testing.assert_array_equal(result[1], pictures[1])
    assert (result[2] == 255).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_threads_give_what_one_call_gives(channels):
    pictures = noise(60, 16, 16, channels)
    pictures.flags.writeable = False
    settings = sections.Augment(**EVERYTHING)
    draws = augment.draw(settings, len(pictures), np.random.default_rng(5))

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(augment.apply, np.split(pictures, 12), np.split(draws, 12)))

    np.testing.assert_array_equal(np.concatenate(parts), augment.apply(pictures, draws))
    np.testing.assert_array_equal(pictures, noise(60, 16, 16, channels))  # unharmed


def test_no_images_are_no_images():
    assert augment.apply(noise(0, 5, 5, 3), np.empty((0, 11), np.float32)).shape == (0, 5, 5, 3)


@pytest.mark.parametrize("shape", [(2, 11), (3, 10)], ids=str)
def test_draws_that_do_not_fit_are_refused(shape):
    message = r"draws must be a row of 11 .*, \(3, 11\), got \(\d, \d+\)"
    with pytest.raises(ValueError, match=message):
        augment.apply(noise(3, 5, 5, 3), np.ones(shape, np.float32))
