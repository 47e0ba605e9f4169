"""What XLA compiles of a training, and that the steps are the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from imago.core import sections
from imago.core.errors import TrainingError
from imago.training import passes, xla
from tests.test_training import build, fit, make_blobs, weights


@pytest.fixture
def with_gpu(monkeypatch):
    monkeypatch.setattr(xla, "has_gpu", lambda: True)


def with_pool(**options) -> keras.Model:
    pixels = keras.Input((7, 6, 2), dtype="float32")
    return keras.Model(pixels, keras.layers.MaxPooling2D(**options)(pixels))


def gradient(model: keras.Model, images: tf.Tensor) -> np.ndarray:
    with tf.GradientTape() as tape:
        tape.watch(images)
        found = tf.reduce_sum(tf.square(model(images)))
    return tape.gradient(found, images).numpy()


@pytest.mark.parametrize("size", [2, 3, (1, 4)])
def test_a_pool_of_slices_is_the_pool(with_gpu, size):
    model = with_pool(pool_size=size)
    images = tf.constant(np.random.default_rng(1).integers(0, 4, (5, 7, 6, 2)), tf.float32)  # ties
    wanted, wanted_gradient = model(images).numpy(), gradient(model, images)
    with xla.applied(model, is_compiled=True):
        assert "call" in vars(model.layers[1])
        np.testing.assert_array_equal(model(images), wanted)
        np.testing.assert_array_equal(gradient(model, images), wanted_gradient)
    assert "call" not in vars(model.layers[1])


@pytest.mark.parametrize(
    "options",
    [{"pool_size": 3, "strides": 2}, {"pool_size": 2, "padding": "same"}],
    ids=["overlap", "padding"],
)
def test_other_pools_stay_and_are_not_compiled_unasked(with_gpu, options):
    model, here = with_pool(**options), tf.distribute.get_strategy()
    with xla.applied(model, is_compiled=True):
        assert "call" not in vars(model.layers[1])
    assert not xla.is_wanted("auto", model, here)
    assert xla.is_wanted(True, model, here)


@pytest.mark.parametrize("gpu", [True, False])
def test_auto_compiles_on_a_gpu(monkeypatch, gpu):
    monkeypatch.setattr(xla, "has_gpu", lambda: gpu)
    assert xla.is_wanted("auto", with_pool(pool_size=2), tf.distribute.get_strategy()) is gpu


@pytest.mark.parametrize("options", [{}, {"mixup": 0.4}], ids=["alone", "mixed"])
def test_augmented_steps_are_those_without_xla(options):
    options |= {"augment": sections.Augment(rotation_degrees=90.0), "epochs": 1}
    blobs, (plain, compiled) = make_blobs(), (build(), build())
    fit(plain, blobs, **options)
    fit(compiled, blobs, jit_compile=True, **options)
    np.testing.assert_allclose(weights(compiled), weights(plain), atol=1e-6)


def test_steps_on_images_that_are_too_many_for_the_gpu(with_gpu, monkeypatch):
    blobs, (plain, compiled) = make_blobs(), (build(), build())
    fit(plain, blobs, blobs, epochs=1)
    monkeypatch.setattr(passes, "GREATEST_ON_GPU", blobs.images.nbytes - 1)
    fit(compiled, blobs, blobs, epochs=1, jit_compile=True)
    np.testing.assert_allclose(weights(compiled), weights(plain), atol=1e-6)


@keras.saving.register_keras_serializable("tests")
class InPython(keras.layers.Layer):
    def call(self, inputs):
        return tf.ensure_shape(tf.numpy_function(np.sin, [inputs], tf.float32), inputs.shape)


def test_what_xla_cannot_compile_is_one_line():
    pixels = keras.Input((4, 4, 1), dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    head = keras.layers.Dense(3, activation="softmax")
    model = keras.Model(pixels, head(InPython()(flat)), name="odd")
    model.compile(keras.optimizers.SGD(0.1))
    before = weights(model)
    with pytest.raises(
        TrainingError, match=r"^odd: with jit_compile .*PyFunc.*; set jit_c"
    ) as told:
        fit(model, make_blobs(), epochs=1, jit_compile=True)
    assert "\n" not in str(told.value)
    np.testing.assert_array_equal(weights(model), before)
