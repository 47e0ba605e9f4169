import re

import keras
import numpy as np
import pytest

from imago import params
from imago.core.errors import ParamsError
from imago.data.arrays import Statistics
from imago.models import cnn
from imago.runtimes import saving, trained
from tests.params_text import TEXT

STATISTICS = Statistics(mean=[10.0, 20.0], variance=[4.0, 9.0])
IMAGES = np.random.default_rng(9).integers(0, 256, (5, 8, 9, 2), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _seeded():
    """Among all weights there are some with which every ReLU gives zero."""
    keras.utils.set_random_seed(1)


def settings(**changes):
    values = {
        "model": "cnn",
        "normalization": "standardize",
        "filters": [3, 4],
        "kernel_size_px": 3,
        "pooling_size_px": 2,
        "batch_normalization": False,
        "dense_units": [6, 5],
        "dropout": 0.0,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "epochs": 1,
        "batch_size": 2,
        "jit_compile": False,
    }
    return cnn.Settings(**values | changes)


def build(image_shape=(8, 9, 2), statistics=STATISTICS, **changes):
    return cnn.build(settings(**changes), image_shape, 3, statistics)


def names(model):
    return [layer.name for layer in model.layers]


def outputs(model, images=IMAGES, training=False):
    return keras.ops.convert_to_numpy(model(images, training=training))


def test_layers():
    model = build()

    assert model.name == "cnn"
    assert names(model) == [
        "pixels",
        "standardize",
        "convolution_1",
        "relu_1",
        "pooling_1",
        "convolution_2",
        "relu_2",
        "flatten",
        "hidden_1",
        "hidden_2",
        "probabilities",
    ]
    assert [model.get_layer(f"convolution_{index}").filters for index in (1, 2)] == [3, 4]
    assert [model.get_layer(f"hidden_{index}").units for index in (1, 2)] == [6, 5]
    activations = [layer.activation for layer in model.layers[8:]]
    assert activations == [
        keras.activations.relu,
        keras.activations.relu,
        keras.activations.softmax,
    ]


def test_names_do_not_count_up():
    options = {"dropout": 0.5, "batch_normalization": True}
    assert names(build(**options)) == names(build(**options))


def test_shapes():
    model = build(kernel_size_px=5, pooling_size_px=3, filters=[3, 4], image_shape=(31, 32, 2))

    assert model.input_shape == (None, 31, 32, 2)
    assert model.inputs[0].dtype == "uint8"
    assert [layer.output.shape[1:] for layer in model.layers[2:8]] == [
        (27, 28, 3),
        (27, 28, 3),
        (9, 9, 3),
        (5, 5, 4),
        (5, 5, 4),
        (100,),
    ]
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        # Convolutions 896 + 18,496 + 36,928, then 4 × 4 × 64 values to 64 units and 10 classes.
        pytest.param({}, 122_570, id="biases"),
        # No biases, 160 less, but mean, variance, scale and offset for each filter.
        pytest.param({"batch_normalization": True}, 122_570 - 160 + 4 * 160, id="batch norm"),
        pytest.param({"dropout": 0.5}, 122_570, id="dropout"),
    ],
)
def test_parameter_count_of_the_known_net(changes, count):
    known = settings(
        filters=[32, 64, 64], dense_units=[64], normalization="rescale", **changes
    )  # three convolutions on 32 px, as in TensorFlow's tutorial
    statistics = Statistics([1.0, 2.0, 3.0], [1.0, 1.0, 1.0])

    assert cnn.build(known, (32, 32, 3), 10, statistics).count_params() == count


def test_one_convolution_is_not_pooled():
    assert names(build(filters=[4], dense_units=[])) == [
        "pixels",
        "standardize",
        "convolution_1",
        "relu_1",
        "flatten",
        "probabilities",
    ]


def test_normalization_is_the_one_asked_for():
    assert names(build(normalization="rescale"))[1] == "rescale"


def test_statistics_reach_the_first_layer():
    found = keras.ops.convert_to_numpy(build().layers[1](IMAGES))

    np.testing.assert_allclose(found, (IMAGES - np.array([10.0, 20.0])) / [2, 3], rtol=1e-6)


def test_dropout_layers_only_when_asked_for():
    model = build(dropout=0.25)

    assert names(model)[7:] == [
        "flatten",
        "hidden_1",
        "dropout_1",
        "hidden_2",
        "dropout_2",
        "probabilities",
    ]
    assert [model.get_layer(f"dropout_{index}").rate for index in (1, 2)] == [0.25, 0.25]
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in build().layers)


def test_dropout_acts_in_training_only():
    model = build(dense_units=[64], dropout=0.5)

    np.testing.assert_array_equal(outputs(model), outputs(model))
    assert not np.array_equal(outputs(model, training=True), outputs(model))


def test_batch_normalization_stands_before_relu():
    model = build(batch_normalization=True)

    assert names(model)[2:9] == [
        "convolution_1",
        "batch_normalization_1",
        "relu_1",
        "pooling_1",
        "convolution_2",
        "batch_normalization_2",
        "relu_2",
    ]
    assert [model.get_layer(f"convolution_{index}").use_bias for index in (1, 2)] == [False, False]
    assert model.get_layer("convolution_1").activation is keras.activations.linear


def test_batch_normalization_learns_means_in_training_only():
    model = build(batch_normalization=True)
    means = model.get_layer("batch_normalization_1").moving_mean

    outputs(model)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(means), np.zeros(3))
    outputs(model, training=True)
    assert keras.ops.convert_to_numpy(means).all()


@pytest.mark.parametrize("normalization", ["rescale", "standardize"])
def test_outputs_are_probabilities(normalization):
    found = outputs(build(normalization=normalization))

    assert found.shape == (5, 3)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), np.ones(5), rtol=1e-6)


def test_outputs_are_those_of_the_formula():
    """Two convolutions of one pixel, so that a convolution is a product of matrices."""
    model = build(kernel_size_px=1, dense_units=[], normalization="rescale")
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    first, first_biases, second, second_biases, head, head_biases = model.get_weights()

    maps = np.maximum(IMAGES / 255 @ first[0, 0] + first_biases, 0)
    pooled = maps[:, :, :8].reshape(5, 4, 2, 4, 2, 3).max(axis=(2, 4))
    maps = np.maximum(pooled @ second[0, 0] + second_biases, 0)
    powers = np.exp(maps.reshape(5, -1) @ head + head_biases)

    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs(model), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("image_shape", "changes", "message"),
    [
        pytest.param(
            (7, 2, 2),
            {},
            "cnn: the input of convolution_1 must be at least 3×3 pixels, as kernel_size_px says, "
            "got 7×2; use fewer convolutions, a smaller kernel_size_px or larger images",
            id="first convolution",
        ),
        pytest.param(
            (8, 8, 2),
            {"filters": [3, 4, 5]},
            "the input of pooling_2 must be at least 2×2 pixels, as pooling_size_px says, got 1×1; "
            "use fewer convolutions, a smaller pooling_size_px or larger images",
            id="pooling",
        ),
        pytest.param(
            (7, 12, 2),
            {"pooling_size_px": 3},
            "the input of convolution_2 must be at least 3×3 pixels, as kernel_size_px says, "
            "got 1×3",
            id="second convolution",
        ),
    ],
)
def test_images_too_small(image_shape, changes, message):
    with pytest.raises(ParamsError, match=re.escape(message)):
        build(image_shape, **changes)


def test_smallest_images():
    assert build((8, 8, 2)).get_layer("relu_2").output.shape == (None, 1, 1, 4)


def test_equal_models_give_equal_files(tmp_path):
    for name in ("first", "second"):
        keras.utils.set_random_seed(5)
        model = build(batch_normalization=True, dropout=0.5)
        saving.write(tmp_path / name, model, ("cat", "dog", "owl"))

    files = [tmp_path / name / trained.KERAS_FILE for name in ("first", "second")]
    assert files[0].read_bytes() == files[1].read_bytes()
    loaded = keras.saving.load_model(files[0], safe_mode=True)
    np.testing.assert_array_equal(
        loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )


MLP = "model: mlp\n      normalization: rescale\n      hidden_units: [3, 5]"
CNN = """model: cnn
      normalization: rescale
      filters: [3, 5]
      kernel_size_px: 3
      pooling_size_px: 2
      batch_normalization: false
      dense_units: [4]"""


def test_sound_section():
    assert MLP in TEXT

    text = TEXT.replace(MLP, CNN).replace("image_size_px: 4,", "image_size_px: 16,")
    train = params.parse(text).experiments["tiny"].train
    assert isinstance(train, cnn.Settings)
    assert train.filters == [3, 5]


def test_images_that_are_too_small_are_found_before_the_training():
    message = "experiments.tiny.train: cnn: the input of convolution_2 must be at least 3×3 pixels"
    with pytest.raises(ParamsError, match=message):
        params.parse(TEXT.replace(MLP, CNN))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("filters: [3, 5]", "filters: []", "filters must have at least 1", id="none"),
        pytest.param(
            "kernel_size_px: 3",
            "kernel_size_px: 2",
            "experiments.tiny.train.kernel_size_px: must be odd, so that a pixel is the window's "
            "middle, got 2",
            id="even kernel",
        ),
        pytest.param(
            "pooling_size_px: 2",
            "pooling_size_px: 1",
            "train.pooling_size_px must be greater than or equal to 2, got 1",
            id="no pooling",
        ),
        pytest.param("dense_units: [4]", "dense_units: [0]", "dense_units.0 must be", id="units"),
    ],
)
def test_faulty_section(old, new, message):
    assert old in CNN

    with pytest.raises(ParamsError, match=re.escape(message)):
        params.parse(TEXT.replace(MLP, CNN.replace(old, new)))


def test_a_batch_of_the_dense_layers_is_within_bounds_too():
    wide = settings(dense_units=[16384], batch_size=70_000)
    assert "numbers of a batch in each layer, got 1,146,880,000" in wide.misfit((8, 9, 2))
    assert settings(dense_units=[16384], batch_size=60_000).misfit((8, 9, 2)) is None
