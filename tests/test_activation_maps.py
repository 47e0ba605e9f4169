"""Grad-CAM against nets whose maps can be worked out by hand."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from imago import activation_maps
from imago.core.errors import ModelError
from imago.models import transfer
from imago.runtimes import determinism

ROOT = Path(__file__).parents[1]
# Two maps: the pixel times 1 and times 2. The logits of the three classes are the means of the
# maps times these weights.
KERNEL = np.array([1, 2], np.float32).reshape(1, 1, 1, 2)
HEAD = np.array([[3, -1, 0], [-1, 2, 0]], np.float32)
PIXELS = np.array([[[1, 2], [0, 4]], [[10, 0], [0, 0]]], np.uint8)[..., np.newaxis]


def inputs():
    return keras.Input((2, 2, 1), dtype="uint8", name="pixels")


def maps_of(pixels, **options):
    convolution = keras.layers.Conv2D(2, 1, use_bias=False, name="convolution", **options)
    maps = convolution(keras.layers.Rescaling(1.0, name="scale")(pixels))
    convolution.set_weights([KERNEL])
    return maps


def head_of(features, activation="softmax", factor=1.0):
    head = keras.layers.Dense(3, activation=activation, name="probabilities")
    outputs = head(features)
    head.set_weights([HEAD * factor, np.zeros(3, np.float32)])
    return outputs


def pooled(maps):
    return keras.layers.GlobalAveragePooling2D(name="pool")(maps)


def net(**options):
    pixels = inputs()
    return keras.Model(pixels, head_of(pooled(maps_of(pixels)), **options), name="net")


def test_weights_are_mean_gradients_and_what_speaks_against_the_class_is_left_out():
    # The gradient of logit c by map k is the weight (k, c) over 4 places, equal at each. So class 0
    # has 3 * pixel - 1 * 2 pixel = pixel, class 1 has 3 pixels; both over their greatest.
    expected = np.array([[[1, 2], [0, 4]], [[10, 0], [0, 0]]]) / np.array([4, 10])[:, None, None]

    for label in (0, 1):
        found = activation_maps.compute(net(), PIXELS, np.array([label, label]))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32


def test_a_map_against_a_class_is_zero_and_not_divided():
    pixels = inputs()
    model = keras.Model(pixels, head_of(pooled(maps_of(pixels)), factor=-1.0), name="against")

    found = activation_maps.compute(model, PIXELS, np.array([0, 1]))

    np.testing.assert_array_equal(found, np.zeros((2, 2, 2)))


def test_only_places_that_speak_for_the_class_are_kept():
    pixels = inputs()
    convolution = keras.layers.Conv2D(2, 1, name="convolution")
    maps = convolution(keras.layers.Rescaling(1.0, name="scale")(pixels))
    convolution.set_weights([KERNEL * [1, 0], np.array([0, 1], np.float32)])  # the pixel, and 1
    model = keras.Model(pixels, head_of(pooled(maps)), name="net")

    found = activation_maps.compute(model, PIXELS, np.array([1, 1]))

    # Class 1: -1 * pixel + 2 * 1, so 1, 0, 2, -2 and -8, 2, 2, 2.
    np.testing.assert_allclose(found, [[[0.5, 0], [1, 0]], [[0, 1], [1, 1]]], rtol=1e-6)


def test_gradients_are_averaged_over_the_places():
    pixels = inputs()
    flat = keras.layers.Flatten(name="flatten")(maps_of(pixels))
    weights = np.zeros((8, 2), np.float32)
    # The four places in rows, two maps each. Class 0: map 0 by 1, 1, 1 and -2 at the last place;
    # mean 1/4. Class 1 by map 1 at the first place only: mean 1/4 of 4.
    weights[:, 0] = [1, 0, 1, 0, 1, 0, -2, 0]
    weights[1, 1] = 4
    weights[6, 1] = -8  # map 0 at the last place: mean -2
    head = keras.layers.Dense(2, activation="softmax", use_bias=False, name="probabilities")
    model = keras.Model(pixels, head(flat), name="flat")
    head.set_weights([weights])

    found = activation_maps.compute(model, PIXELS[:1], np.array([0]))
    against = activation_maps.compute(model, PIXELS[:1], np.array([1]))

    np.testing.assert_allclose(found[0], np.array([[1, 2], [0, 4]]) / 4, rtol=1e-6)
    # -2 * pixel + 1 * 2 pixel = 0 at every place
    np.testing.assert_array_equal(against[0], np.zeros((2, 2)))


def test_without_labels_it_is_the_predicted_class():
    model = net()
    # Means of the maps are 7/4 and 7/2: logits 7/4, 21/4, 0.
    np.testing.assert_array_equal(
        activation_maps.compute(model, PIXELS), activation_maps.compute(model, PIXELS, [1, 1])
    )


@pytest.mark.parametrize("ending", ["dense", "softmax", "activation", "logits"])
def test_a_sure_answer_has_a_map_too(ending):
    """Where the softmax gives exactly 1, its own gradient is 0."""
    pixels = inputs()
    features = pooled(maps_of(pixels))
    if ending == "dense":
        outputs = head_of(features, factor=1e4)
    else:
        outputs = head_of(features, activation=None, factor=1e4)
    if ending == "softmax":
        outputs = keras.layers.Softmax(name="softmax")(outputs)
    if ending == "activation":
        outputs = keras.layers.Activation("softmax", name="softmax")(outputs)
    model = keras.Model(pixels, outputs, name="sure")
    assert ending == "logits" or model(PIXELS).numpy().max() == 1

    found = activation_maps.compute(model, PIXELS)

    np.testing.assert_allclose(found[0], np.array([[1, 2], [0, 4]]) / 4, rtol=1e-6)


def nested():
    pixels = inputs()
    inner_pixels = inputs()
    inner = keras.Model(inner_pixels, pooled(maps_of(inner_pixels)), name="backbone")
    return keras.Model(pixels, head_of(inner(pixels)), name="nested")


def sequential():
    convolution = keras.layers.Conv2D(2, 1, use_bias=False, name="convolution")
    body = keras.Sequential([inputs(), keras.layers.Rescaling(1.0, name="scale"), convolution])
    convolution.set_weights([KERNEL])
    head = keras.layers.Dense(3, activation="softmax", name="probabilities")
    layers = [inputs(), body, keras.layers.GlobalAveragePooling2D(name="pool"), head]
    model = keras.Sequential(layers, name="sequential")
    head.set_weights([HEAD, np.zeros(3, np.float32)])
    return model


def frozen():
    model = net()
    model.trainable = False
    return model


def transferred():
    pixels = inputs()
    backbone = keras.Model(pixels, pooled(maps_of(pixels)), name="backbone")
    backbone.trainable = False
    features = keras.Input((2,), name="features")
    return transfer.complete(backbone, keras.Model(features, head_of(features), name="head"))


@pytest.mark.parametrize("build", [nested, sequential, frozen, transferred])
def test_layers_are_found_however_the_model_is_put_together(build):
    np.testing.assert_allclose(
        activation_maps.compute(build(), PIXELS), activation_maps.compute(net(), PIXELS), rtol=1e-6
    )


def test_a_branch_around_the_last_maps():
    pixels = inputs()
    maps = maps_of(pixels)
    smaller = keras.layers.MaxPooling2D(2, name="smaller")(maps)
    beside = keras.layers.GlobalMaxPooling2D(name="beside")(maps)
    flat = keras.layers.Flatten(name="flatten")(smaller)  # 1×1: no places
    features = keras.layers.Add(name="add")([flat, beside])
    model = keras.Model(pixels, head_of(features), name="branched")

    found = activation_maps.compute(model, PIXELS, [0, 0])

    # Both branches pass their gradient to the greatest place; 3 * pixel - 1 * 2 pixel is left.
    np.testing.assert_allclose(found[0], np.array([[1, 2], [0, 4]]) / 4, rtol=1e-6)


def test_many_images_in_parts_are_those_of_each_alone(monkeypatch):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 2, 2, 1), dtype=np.uint8)
    explainer = activation_maps.Explainer.of(net())
    whole = explainer.maps(pixels)
    monkeypatch.setattr(activation_maps, "IMAGES_PER_CALL", 2)
    np.testing.assert_array_equal(explainer.maps(pixels), whole)
    assert explainer.maps(pixels[:0]).shape == (0, 2, 2)


def test_the_model_stays_as_it_was():
    model = net()
    before = model.get_config(), [w.copy() for w in model.get_weights()], model(PIXELS).numpy()

    activation_maps.compute(model, PIXELS)

    assert json.dumps(model.get_config()) == json.dumps(before[0])
    for one, other in zip(model.get_weights(), before[1], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(model(PIXELS).numpy(), before[2])


def test_two_runs_give_equal_bits():
    determinism.enable(4)
    pixels = keras.Input((16, 16, 3), dtype="uint8", name="pixels")
    maps = keras.layers.Rescaling(1 / 255, name="scale")(pixels)
    for index in range(2):
        maps = keras.layers.Conv2D(8, 3, activation="relu", name=f"c{index}")(maps)
    model = keras.Model(pixels, head_of_any(pooled(maps)), name="noisy")
    images = np.random.default_rng(3).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)
    found = [activation_maps.compute(model, images) for _ in range(2)]
    assert found[0].tobytes() == found[1].tobytes()
    assert found[0].shape == (9, 12, 12)


def head_of_any(features):
    return keras.layers.Dense(3, activation="softmax", name="probabilities")(features)


def test_a_model_without_convolutions():
    pixels = inputs()
    flat = keras.layers.Flatten(name="flatten")(keras.layers.Rescaling(1.0, name="scale")(pixels))
    model = keras.Model(pixels, head_of_any(flat), name="dense_net")
    with pytest.raises(ModelError, match="dense_net: must be a convolutional model"):
        activation_maps.compute(model, PIXELS)


@pytest.mark.parametrize("channels", [1, 3])
def test_overlay(channels):
    pixels = np.full((1, 3, 3, channels), 100, np.uint8)
    maps = np.array([[[0, 0], [0, 1]]], np.float32)

    found = activation_maps.overlay(pixels, maps)

    assert found.shape == (1, 3, 3, 3)
    assert found.dtype == np.uint8
    assert found[0, 0, 0].tolist() == [100] * 3  # as it was where the map is 0
    share = activation_maps.OPACITY
    lightest = activation_maps.colors(np.ones((1, 1), np.float32))[0, 0]
    np.testing.assert_array_equal(
        found[0, 2, 2], np.round(100 * (1 - share) + lightest * share).astype(np.uint8)
    )
    red, _, blue = lightest.tolist()
    assert red > 200 > 100 > blue  # yellow


def test_overlay_makes_the_image_gray():
    pixels = np.array([30, 60, 90], np.uint8).reshape(1, 1, 1, 3)
    found = activation_maps.overlay(pixels, np.zeros((1, 1, 1), np.float32))
    assert found[0, 0, 0].tolist() == [60, 60, 60]


def test_overlay_needs_no_tensorflow():
    script = """
import sys
import numpy as np
from imago import activation_maps
activation_maps.overlay(np.zeros((1, 4, 4, 3), np.uint8), np.ones((1, 2, 2), np.float32))
print("tensorflow" in sys.modules, "keras" in sys.modules)
"""
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "False False\n"
