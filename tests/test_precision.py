"""Trainings that compute in 16 bits end with models of 32."""

import keras
import numpy as np
import pytest

from imago.runtimes import determinism, saving
from imago.training import checkpoints, loop, precision
from tests.test_training import BATCH, KillAfter, KilledError, NoCheckpoint, make_blobs, weights

MIXED = ("mixed_bfloat16", "mixed_float16")


class Noting(keras.layers.Layer):
    """Notes in which numbers it is asked to compute."""

    seen: set[str]

    def call(self, inputs):
        self.seen.add(keras.backend.standardize_dtype(inputs.dtype))
        return inputs


def build(noting: keras.layers.Layer | None = None) -> keras.Model:
    determinism.enable(3)
    pixels = keras.Input((4, 4, 1), dtype="uint8", name="pixels")
    outputs = keras.layers.Rescaling(1 / 255, name="rescale")(pixels)
    outputs = keras.layers.Flatten(name="flatten")(outputs)
    outputs = keras.layers.Dense(8, activation="relu", name="hidden")(outputs)
    if noting:
        outputs = noting(outputs)
    outputs = keras.layers.Dense(3, activation="softmax", name="probabilities")(outputs)
    return keras.Model(pixels, outputs, name="net")


def fit(model, kind, checkpoint=None, callbacks=(), jit_compile=False, epochs=3):
    blobs = make_blobs()
    plan = loop.Plan(epochs=epochs, batch_size=BATCH, seed=5, jit_compile=jit_compile)
    with precision.applied(model, kind):
        model.compile(keras.optimizers.Adam(0.01))
        return loop.fit(model, blobs, blobs, plan, checkpoint or NoCheckpoint(), callbacks)


@pytest.mark.parametrize("kind", [None, *MIXED])
def test_layers_compute_in_it_and_in_32_bits_again_afterwards(kind):
    noting = Noting()
    noting.seen = set()
    model = build(noting)
    noting.seen.clear()
    fit(model, kind, epochs=1)
    assert noting.seen == {(kind or "float32").removeprefix("mixed_")}

    noting.seen.clear()
    model(make_blobs().images)
    assert noting.seen == {"float32"}
    assert {weight.dtype for weight in model.weights} == {"float32"}


@pytest.mark.parametrize(
    ("kind", "jit_compile"), [("mixed_bfloat16", True), ("mixed_float16", False)]
)
def test_it_learns_nearly_the_same(kind, jit_compile):
    exact, mixed = build(), build()
    fit(exact, None)
    history = fit(mixed, kind, jit_compile=jit_compile)
    assert not np.array_equal(weights(mixed), weights(exact))
    np.testing.assert_allclose(weights(mixed), weights(exact), atol=0.02)
    assert history[-1]["loss"] < history[0]["loss"]


def test_float32_is_what_there_is_without_it():
    plain, named = build(), build()
    fit(plain, None)
    fit(named, "float32")
    np.testing.assert_array_equal(weights(plain), weights(named))


def test_the_file_is_as_of_a_model_that_was_trained_in_32_bits(tmp_path):
    exact, mixed = build(), build()
    fit(mixed, "mixed_float16")
    mixed.set_weights(exact.get_weights())
    for name, model in (("exact", exact), ("mixed", mixed)):
        saving.write_model(tmp_path / f"{name}.keras", model)
    assert (tmp_path / "exact.keras").read_bytes() == (tmp_path / "mixed.keras").read_bytes()


def test_gradients_too_small_for_float16_are_scaled():
    """Without it all are 0: the loss is a mean over so many examples that each counts nothing."""
    model = build()
    with precision.applied(model, "mixed_float16"):
        model.compile(keras.optimizers.SGD(1.0))
        assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        blobs = make_blobs()
        plan = loop.Plan(
            epochs=1, batch_size=70, seed=5, jit_compile=False, class_weights=[1e-7] * 3
        )
        loop.fit(model, blobs, None, plan, NoCheckpoint())
    assert np.count_nonzero(model.get_layer("hidden").bias.numpy()) > 4  # of 8, which began at 0


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    kind = "mixed_float16"  # whose scale of the loss is a variable too
    whole, killed, resumed = build(), build(), build()
    fit(whole, kind, epochs=4)
    checkpoint = checkpoints.FileCheckpoint(tmp_path)
    with pytest.raises(KilledError):
        fit(killed, kind, checkpoint, [KillAfter(2)], epochs=4)
    fit(resumed, kind, checkpoint, epochs=4)
    np.testing.assert_array_equal(weights(resumed), weights(whole))
