import json

import keras
import numpy as np
import pytest

from imago.core.errors import ParamsError
from imago.models import transfer
from imago.runtimes import determinism, saving


@pytest.fixture
def settings():
    return transfer.Settings(
        model="transfer",
        hidden_units=[7, 5],
        dropout=0.2,
        optimizer="sgd",
        learning_rate=0.1,
        epochs=1,
        batch_size=4,
        jit_compile=False,
    )


def backbone() -> keras.Model:
    """Three convolutions, the second with batch normalization, all frozen."""
    determinism.enable(3)
    pixels = keras.Input((8, 8, 3), dtype="uint8", name="pixels")
    outputs = keras.layers.Rescaling(1 / 255, name="scale")(pixels)
    for name in ("first", "second", "third"):
        outputs = keras.layers.Conv2D(4, 3, activation="relu", name=name)(outputs)
        if name == "second":
            outputs = keras.layers.BatchNormalization(name="norm")(outputs)
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D(name="pool")(outputs))
    model.trainable = False
    return model


def test_head_from_features_to_probabilities(settings):
    head = transfer.build(settings, (4,), 3, None)

    assert head.input_shape == (None, 4)
    assert head.output_shape == (None, 3)
    names = ["features", "hidden_1", "dropout_1", "hidden_2", "dropout_2", "probabilities"]
    assert [layer.name for layer in head.layers] == names
    assert head.count_params() == (4 + 1) * 7 + (7 + 1) * 5 + (5 + 1) * 3


def test_head_without_dropout(settings):
    plain = settings.model_copy(update={"dropout": 0.0, "hidden_units": []})

    assert [layer.name for layer in transfer.build(plain, (4,), 3, None).layers] == [
        "features",
        "probabilities",
    ]


def test_the_complete_model_gives_what_its_parts_give(settings):
    body, head = backbone(), transfer.build(settings, (4,), 3, None)
    images = np.random.default_rng(5).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)

    whole = transfer.complete(body, head)

    expected = head.predict(body.predict(images, verbose=0), verbose=0)
    np.testing.assert_allclose(whole.predict(images, verbose=0), expected, atol=1e-6)
    assert whole.inputs[0].dtype == "uint8"
    assert whole.get_layer("third").output is not None  # its layers are in reach, not in a layer


def test_a_backbone_that_was_written_and_read_is_completed(settings, tmp_path):
    saving.write_model(tmp_path / "backbone.keras", backbone())
    body = saving.read_model(tmp_path / "backbone.keras")

    whole = transfer.complete(body, transfer.build(settings, (4,), 3, None))

    assert whole.output_shape == (None, 3)
    assert whole.get_layer("hidden_2").input.shape == (None, 7)


def test_the_complete_model_is_read_back_with_what_is_frozen(settings, tmp_path):
    whole = transfer.complete(backbone(), transfer.build(settings, (4,), 3, None))

    saving.write(tmp_path / "model", whole, ("a", "b", "c"))
    again = keras.saving.load_model(tmp_path / "model/model.keras")

    trainable = {layer.name for layer in again.layers if layer.trainable_variables}
    assert trainable == {"hidden_1", "hidden_2", "probabilities"}


@pytest.mark.parametrize(
    ("layers", "learning"),
    [(1, ["third"]), (2, ["third", "second"]), (3, ["third", "second", "first"])],
)
def test_unfreeze_the_last_layers_but_no_batch_normalization(layers, learning):
    body = backbone()

    transfer.unfreeze(body, layers)

    found = [layer.name for layer in body.layers[::-1] if layer.trainable_variables]
    assert found == learning


def test_more_layers_than_there_are():
    message = "fine_tune.layers must be at most 3, .* batch normalization aside, got 4"
    with pytest.raises(ParamsError, match=message):
        transfer.unfreeze(backbone(), 4)


def test_fine_tune_of_a_params_file():
    section = {
        "model": "transfer",
        "hidden_units": [],
        "dropout": 0.0,
        "optimizer": "adam",
        "learning_rate": 0.1,
        "epochs": 1,
        "batch_size": 4,
        "jit_compile": True,
        "fine_tune": {
            "layers": 3,
            "optimizer": "adam",
            "learning_rate": 0.00001,
            "epochs": 2,
            "batch_size": 4,
            "jit_compile": True,
            "augment": {"horizontal_flip": True},
        },
    }
    assert transfer.Settings.model_validate_json(json.dumps(section)).fine_tune.layers == 3


def test_a_batch_of_a_heads_layers_is_within_bounds_too(settings):
    wide = settings.model_copy(update={"hidden_units": [16384], "batch_size": 70_000})
    assert "numbers of a batch in each layer, got 1,146,880,000" in wide.misfit((224, 224, 3))
