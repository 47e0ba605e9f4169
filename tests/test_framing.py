from functools import partial

import cv2
import numpy as np
import pytest

from imago.images import framing
from imago.images.forms import Form
from imago.images.framing import Framing

FORM = Form((12, 12, 1), "stretch", "area")
LETTER = np.zeros((6, 4), np.uint8)  # an L: its mass lies below and to the left of its middle
LETTER[:, 0] = LETTER[5, :] = 255


def with_letters(*places):
    images = np.zeros((len(places), 12, 12, 1), np.uint8)
    for image, (top, left) in zip(images, places, strict=True):
        image[top : top + 6, left : left + 4, 0] = LETTER
    return images


def test_what_always_lies_in_the_middle_of_its_box():
    images = with_letters((3, 4), (3, 4), (3, 4))
    images[1] = images[1, ::-1]  # upside down, the box stays and the mass moves
    found = framing.measure(images)
    assert found == Framing("dark", 0.5, "box", (0.5, 0.5))


def test_what_always_has_its_mass_in_one_place():
    images = np.zeros((2, 12, 12, 1), np.uint8)
    images[0, 3:9, 5:7] = 255
    images[1, 2:8, 5:7] = 255  # higher, but heavier below: the mass is where it was
    images[1, 2:5, 5:7] = 85
    assert framing.measure(images).center == "mass"


def test_dark_things_on_light_ground():
    assert framing.measure(255 - with_letters((3, 4))) == Framing("light", 0.5, "box", (0.5, 0.5))


def test_things_of_many_sizes_have_a_ground_only():
    images = with_letters((3, 4), (3, 4))
    images[1] = 0
    images[1, 1:11, 1:11] = 200
    assert framing.measure(images) == Framing("dark")


def test_pictures_without_a_plain_ground_have_none():
    images = with_letters((3, 4), (3, 4))
    images[1] = 255 - images[1]
    assert framing.measure(images) is None


def test_an_empty_image_tells_of_the_ground_alone():
    assert framing.measure(np.zeros((2, 5, 5, 1), np.uint8)) == Framing("dark")


@pytest.mark.parametrize("ground", ["dark", "light"])
@pytest.mark.parametrize(
    ("polarity", "of_dark", "of_light"),
    [("as_is", False, False), ("inverted", True, True), ("auto", None, None)],
)
def test_polarity(ground, polarity, of_dark, of_light):
    dark = with_letters((3, 4))[0]
    for image, inverted in ((dark, of_dark), (255 - dark, of_light)):
        if polarity == "auto":
            inverted = (image is dark) == (ground == "light")
        found = framing.with_polarity(image, ground, polarity)
        np.testing.assert_array_equal(found, 255 - image if inverted else image)


def photo(height, width, top, left, scale, ground=0, light=255, slope=0.0, noise=0.0):
    """A letter on a canvas that is lit from one side."""
    image = np.full((height, width), ground, np.float32)
    image += np.linspace(0, slope, width, dtype=np.float32)
    letter = cv2.resize(LETTER, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST) > 0
    part = image[top : top + 6 * scale, left : left + 4 * scale]
    part[letter] = light
    image += np.random.default_rng(1).normal(0, noise, image.shape)
    return image.clip(0, 255).astype(np.uint8)[..., np.newaxis]


PHOTOS = {
    "large": partial(photo, 150, 200, 10, 20, 15),
    "small and at the edge": partial(photo, 100, 80, 93, 2, 1),
    "pale": partial(photo, 150, 200, 10, 20, 15, ground=20, light=60),
    "lit from one side": partial(photo, 150, 200, 10, 20, 15, slope=90),
    "noisy": partial(photo, 150, 200, 10, 20, 15, ground=40, light=200, noise=5),
    "very large": partial(photo, 1500, 2000, 100, 200, 120),
}


@pytest.mark.parametrize("ground", ["dark", "light"])
@pytest.mark.parametrize("name", PHOTOS)
def test_a_thing_is_put_where_the_training_images_have_it(name, ground):
    image = PHOTOS[name]()
    image = image if ground == "dark" else 255 - image
    found = framing.framed(image, Framing(ground, 0.5, "box", (0.5, 0.5)), FORM)
    expected = with_letters((3, 4))[0]
    expected = expected if ground == "dark" else 255 - expected
    assert found.shape == (12, 12, 1)
    np.testing.assert_allclose(found.astype(int), expected, atol=40)


def test_the_centre_of_mass_is_put_in_its_place():
    image = photo(150, 200, 10, 20, 15)
    box = framing.framed(image, Framing("dark", 0.5, "box", (0.5, 0.5)), FORM)
    mass = framing.framed(image, Framing("dark", 0.5, "mass", (0.5, 0.5)), FORM)
    # 9 pixels, of which 4 in the last row and 6 in the first column: at (3.5 + 10/9, 0.5 + 6/9)
    np.testing.assert_array_equal(mass, np.roll(box, (-1, 1), axis=(0, 1)))


def test_specks_are_left_out():
    image = photo(150, 200, 10, 20, 15)
    image[140, 190] = 255
    found = framing.framed(image, Framing("dark", 0.5, "box", (0.5, 0.5)), FORM)
    np.testing.assert_array_equal(found, with_letters((3, 4))[0])


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 50, 1), np.uint8),
        np.full((50, 50, 1), 10, np.uint8) + np.eye(50, dtype=np.uint8)[..., np.newaxis] * 20,
        np.random.default_rng(1).integers(0, 256, (50, 50, 1), dtype=np.uint8),
    ],
    ids=["empty", "faint", "noise"],
)
def test_where_nothing_stands_out_nothing_is_found(image):
    assert framing.framed(image, Framing("dark", 0.5), FORM) is None


def test_a_ground_alone_says_nothing_of_where_things_are():
    assert framing.framed(PHOTOS["large"](), Framing("dark"), FORM) is None
