import keras
import numpy as np
import pytest

from imago.data.arrays import Statistics
from imago.models import mlp

STATISTICS = Statistics(mean=[10.0], variance=[4.0])
IMAGES = np.random.default_rng(9).integers(0, 256, (7, 2, 3, 1), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _seeded():
    """Among all weights there are some with which every ReLU gives zero."""
    keras.utils.set_random_seed(1)


def settings(**changes):
    values = {
        "model": "mlp",
        "normalization": "standardize",
        "hidden_units": [5, 4],
        "dropout": 0.0,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "epochs": 1,
        "batch_size": 2,
        "jit_compile": False,
    }
    return mlp.Settings(**values | changes)


def build(image_shape=(2, 3, 1), statistics=STATISTICS, **changes):
    return mlp.build(settings(**changes), image_shape, 3, statistics)


def names(model):
    return [layer.name for layer in model.layers]


def outputs(model, images=IMAGES, training=False):
    return keras.ops.convert_to_numpy(model(images, training=training))


def test_layers():
    model = build()

    assert model.name == "mlp"
    assert names(model) == [
        "pixels",
        "standardize",
        "flatten",
        "hidden_1",
        "hidden_2",
        "probabilities",
    ]
    assert [model.get_layer(f"hidden_{index}").units for index in (1, 2)] == [5, 4]
    activations = [layer.activation for layer in model.layers[3:]]
    assert activations == [
        keras.activations.relu,
        keras.activations.relu,
        keras.activations.softmax,
    ]


def test_names_do_not_count_up():
    assert names(build(dropout=0.5)) == names(build(dropout=0.5))


def test_normalization_is_the_one_asked_for():
    assert names(build(normalization="rescale"))[1] == "rescale"


def test_statistics_reach_the_first_layer():
    first = build().layers[1]

    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(first(IMAGES)), (IMAGES.astype(float) - 10) / 2, rtol=1e-6
    )


def test_no_hidden_layer():
    model = build(hidden_units=[])

    assert names(model) == ["pixels", "standardize", "flatten", "probabilities"]
    assert model.count_params() == 6 * 3 + 3


def test_shapes():
    model = build()

    assert model.input_shape == (None, 2, 3, 1)
    assert model.inputs[0].dtype == "uint8"
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize(
    ("image_shape", "statistics", "inputs"),
    [
        pytest.param((2, 3, 1), STATISTICS, 6, id="grayscale"),
        pytest.param((2, 3, 3), Statistics([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]), 18, id="RGB"),
    ],
)
def test_parameter_count(image_shape, statistics, inputs):
    model = build(image_shape, statistics, dropout=0.5)

    assert model.count_params() == (inputs * 5 + 5) + (5 * 4 + 4) + (4 * 3 + 3)
    assert sum(variable.shape.num_elements() for variable in model.trainable_variables) == (
        model.count_params()
    )


def test_dropout_layers_only_when_asked_for():
    model = build(dropout=0.25)

    assert names(model)[3:] == ["hidden_1", "dropout_1", "hidden_2", "dropout_2", "probabilities"]
    assert [model.get_layer(f"dropout_{index}").rate for index in (1, 2)] == [0.25, 0.25]
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in build().layers)


def test_dropout_acts_in_training_only():
    model = build(hidden_units=[64], dropout=0.5)

    np.testing.assert_array_equal(outputs(model), outputs(model))
    assert not np.array_equal(outputs(model, training=True), outputs(model))


@pytest.mark.parametrize("normalization", ["rescale", "standardize"])
def test_outputs_are_probabilities(normalization):
    found = outputs(build(normalization=normalization))

    assert found.shape == (7, 3)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), np.ones(7), rtol=1e-6)


def test_outputs_are_those_of_the_formula():
    model = build(hidden_units=[5])
    weights, biases, head, head_biases = model.get_weights()
    biases += 0.5  # they begin at 0, where leaving them out would not show
    head_biases += [0.0, 0.5, 1.0]
    model.set_weights([weights, biases, head, head_biases])

    hidden = np.maximum((IMAGES.reshape(7, 6) - 10.0) / 2 @ weights + biases, 0)
    powers = np.exp(hidden @ head + head_biases)

    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs(model), expected, rtol=1e-4, atol=1e-7)
