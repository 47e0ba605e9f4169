import keras
import numpy as np
import pytest

from imago.data.arrays import Statistics
from imago.models import _layers

GRAY = Statistics(mean=[10.0], variance=[4.0])
RGB = Statistics(mean=[10.0, 100.0, 200.0], variance=[4.0, 25.0, 0.25])
NOT_USED = Statistics(mean=[77.0], variance=[7.0])

PIXELS = np.array([[[[0], [51]], [[102], [255]]]], np.uint8)  # (1, 2, 2, 1)


def outputs(layer, images):
    return keras.ops.convert_to_numpy(layer(images))


def test_rescale():
    found = outputs(_layers.layer("rescale", NOT_USED), PIXELS)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[[[0.0], [0.2]], [[0.4], [1.0]]]], rtol=1e-6)


def test_standardize():
    images = np.array([[[[10], [14]], [[6], [0]]]], np.uint8)

    found = outputs(_layers.layer("standardize", GRAY), images)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[[[0.0], [2.0]], [[-2.0], [-5.0]]]], rtol=1e-6)


def test_standardize_takes_each_channel_by_itself():
    images = np.array([[[[14, 90, 201]], [[8, 105, 199]]]], np.uint8)  # (1, 2, 1, 3)

    found = outputs(_layers.layer("standardize", RGB), images)

    np.testing.assert_allclose(found, [[[[2.0, -2.0, 2.0]], [[-1.0, 1.0, -2.0]]]], rtol=1e-6)


def test_standardized_training_images_have_mean_0_and_variance_1():
    images = np.random.default_rng(8).integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)
    of_channel = {"axis": (0, 1, 2), "dtype": np.float64}
    statistics = Statistics(images.mean(**of_channel).tolist(), images.var(**of_channel).tolist())

    found = outputs(_layers.layer("standardize", statistics), images)

    np.testing.assert_allclose(found.mean(**of_channel), np.zeros(3), atol=1e-6)
    np.testing.assert_allclose(found.var(**of_channel), np.ones(3), rtol=1e-6)


@pytest.mark.parametrize("kind", ["rescale", "standardize"])
def test_every_pixel_value(kind):
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    values = np.arange(256).reshape(1, 16, 16, 1)
    expected = values / 255 if kind == "rescale" else (values - 10) / 2

    found = outputs(_layers.layer(kind, GRAY), images)

    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["rescale", "standardize"])
def test_names_do_not_count_up(kind):
    assert [_layers.layer(kind, GRAY).name for _ in range(2)] == [kind, kind]


@pytest.mark.parametrize("kind", ["rescale", "standardize"])
def test_nothing_is_trained(kind):
    layer = _layers.layer(kind, GRAY)
    layer(PIXELS)

    assert layer.trainable_variables == []


@pytest.mark.parametrize("kind", ["rescale", "standardize"])
def test_statistics_travel_with_the_layer(kind):
    layer = _layers.layer(kind, GRAY)

    again = keras.layers.deserialize(keras.layers.serialize(layer))

    np.testing.assert_array_equal(outputs(again, PIXELS), outputs(layer, PIXELS))
