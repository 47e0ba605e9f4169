import cv2
import numpy as np
import pytest
from photo_archives import encoded, picture

from imago.photos import fingerprints


def differing_bits(image, other):
    return (fingerprints.look(image) ^ fingerprints.look(other)).bit_count()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda image: cv2.resize(image, None, fx=0.5, fy=0.5), id="smaller"),
        pytest.param(lambda image: cv2.resize(image, None, fx=1.7, fy=1.2), id="larger"),
        pytest.param(lambda image: image // 2 + 80, id="brighter, with less contrast"),
        pytest.param(
            lambda image: cv2.imdecode(
                np.frombuffer(encoded(image, ".jpg"), np.uint8), cv2.IMREAD_COLOR_RGB
            ),
            id="compressed",
        ),
    ],
)
def test_looks_of_one_picture_are_near(change):
    for number in range(20):
        image = picture(number, 120, 160)
        assert differing_bits(image, change(image)) <= 4


def test_looks_of_different_pictures_are_far():
    images = [picture(number) for number in range(40)]
    distances = [differing_bits(a, b) for i, a in enumerate(images) for b in images[:i]]
    assert min(distances) > 12


def test_half_the_bits_of_a_look_are_set():
    assert fingerprints.look(picture(1)).bit_count() == 32


@pytest.mark.parametrize("gray", [0, 128, 255])
def test_flat_pictures_have_no_look(gray):
    assert fingerprints.look(np.full((20, 30, 3), gray, np.uint8)) is None


def test_a_little_noise_is_no_look():
    noise = np.random.default_rng(3).integers(100, 103, (64, 64, 3), dtype=np.uint8)
    assert fingerprints.look(noise) is None


def test_a_single_pixel_has_no_look():
    assert fingerprints.look(np.array([[[1, 2, 3]]], np.uint8)) is None


def test_digests_of_pixels():
    image = picture(1)
    other = image.copy()
    other[5, 5, 2] ^= 1
    digest = fingerprints.fingerprint(image).pixels

    assert fingerprints.fingerprint(image.copy()).pixels == digest
    assert fingerprints.fingerprint(np.asfortranarray(image)).pixels == digest
    assert fingerprints.fingerprint(other).pixels != digest
    assert fingerprints.fingerprint(image.reshape(32, 24, 3)).pixels != digest
