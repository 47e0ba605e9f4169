import keras
import numpy as np
import pytest

from imago.core import sections
from imago.core.errors import DataError, ModelError
from imago.data.arrays import Split
from imago.runtimes import certainty as known
from imago.runtimes import inference, model_json, saving
from imago.training import certainty

GENERATOR = np.random.default_rng(5)


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)


def drawn(count, classes=3):
    """True probabilities, and labels drawn from them."""
    logits = GENERATOR.normal(0, 2, (count, classes))
    labels = [GENERATOR.choice(classes, p=row / row.sum()) for row in softmax(logits)]
    return logits, np.array(labels, np.int32)


@pytest.mark.parametrize("too_sure_by", [0.5, 1.0, 3.0])
def test_the_temperature_is_how_many_times_too_large_the_logits_are(too_sure_by):
    logits, labels = drawn(20_000)
    found = certainty.temperature(softmax(logits * too_sure_by), labels)
    assert found == pytest.approx(too_sure_by, rel=0.05)


def test_where_all_answers_are_right_the_model_is_still_in_doubt():
    """The least loss of 200 right answers is that of a model that is never in doubt."""
    labels = np.arange(200, dtype=np.int32) % 2
    logits = np.where(np.eye(2)[labels] > 0, 3.0, -3.0)
    found = certainty.temperature(softmax(logits), labels)
    after = certainty.scaled(softmax(logits), found).max(axis=1).mean()
    assert after == pytest.approx(201 / 202, abs=0.001)


def test_a_probability_of_zero_is_no_error():
    probabilities = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    found = certainty.temperature(probabilities, np.array([0, 1, 1], np.int32))
    assert 1 < found <= certainty.GREATEST_TEMPERATURE
    assert np.isfinite(certainty.scaled(probabilities, found)).all()


@pytest.fixture
def head():
    keras.utils.set_random_seed(4)
    inputs = keras.Input((4,), name="features")
    hidden = keras.layers.Dense(6, activation="relu", name="hidden_1")(inputs)
    last = keras.layers.Dense(3, activation="softmax", name="probabilities")
    return keras.Model(inputs, last(hidden), name="head")


FEATURES = GENERATOR.normal(0, 2, (40, 4)).astype(np.float32)
LABELS = np.array([0, 1, 2, 1] * 10, np.int32)
WANTED = sections.Certainty(temperature=True, neighbors=12)


def measured(model, settings=WANTED, copies=0):
    train, validation = Split(FEATURES, LABELS), Split(FEATURES[:16] + 1, LABELS[:16])
    return certainty.measure(model, train, copies, validation, settings, seed=3)


def test_the_temperature_is_in_the_models_weights(head):
    before = head.predict(FEATURES, verbose=0)
    validation = head.predict(FEATURES[:16] + 1, verbose=0)
    found = measured(head)
    assert found.temperature == pytest.approx(certainty.temperature(validation, LABELS[:16]))
    after = head.predict(FEATURES, verbose=0)
    np.testing.assert_allclose(after, certainty.scaled(before, found.temperature), atol=1e-6)
    assert (after.argmax(1) == before.argmax(1)).all()
    asked = head.predict(FEATURES[:16] + 1, verbose=0)
    np.testing.assert_allclose(found.validation.probability, asked.max(1), atol=1e-6)


def test_without_a_temperature_the_weights_stay(head):
    before = head.get_weights()
    found = measured(head, sections.Certainty(temperature=False))
    assert (found.temperature, found.neighbors, found.validation.distance) == (None, None, None)
    assert all(map(np.array_equal, before, head.get_weights()))


def test_the_distance_is_that_to_the_fifth_nearest(head):
    found = measured(head)
    hidden = keras.Model(head.inputs[0], head.layers[-1].input)
    asked = hidden.predict(FEATURES[:16] + 1, verbose=0)
    asked /= np.maximum(np.linalg.norm(asked, axis=1, keepdims=True), 1e-12)  # some are all zeros
    expected = 1 - np.sort(asked @ found.neighbors.T, axis=1)[:, -5]
    np.testing.assert_allclose(found.validation.distance, expected, atol=1e-5)


def test_neighbors_are_originals_and_as_many_of_each_class():
    labels = np.array([0] * 60 + [1] * 9 + [2] * 90, np.int32)
    rows = certainty.neighbor_rows(labels, copies=2, most=24, seed=1)
    assert (rows % 3 == 0).all()
    assert np.bincount(labels[rows]).tolist() == [8, 3, 8]
    assert (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, certainty.neighbor_rows(labels, 2, 24, seed=2))
    assert len(certainty.neighbor_rows(labels, 0, 1, seed=1)) == 3 * known.NEAREST


def test_a_model_without_a_softmax_at_its_end_has_no_temperature():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(inputs), name="odd")
    with pytest.raises(ModelError, match=r"^odd: must end in a dense layer .*got logits; set tra"):
        measured(model)


def test_what_was_found_is_read_back_and_checked(head, tmp_path):
    found, folder = measured(head), tmp_path / "pets"
    pixels = keras.Input((1, 2, 2), dtype="uint8", name="pixels")
    layers = [keras.layers.Rescaling(1.0, name="as_number"), keras.layers.Flatten(name="flat")]
    outputs = pixels
    for layer in [*layers, *head.layers[1:]]:
        outputs = layer(outputs)
    saving.write(folder, keras.Model(pixels, outputs, name="m"), ("a", "b", "c"), found)

    described = model_json.read_trained(folder)
    assert described.temperature == found.temperature
    again = known.read(folder, described, with_neighbors=True)
    for name in ("labels", "predicted", "probability", "distance"):
        of_both = (getattr(one.validation, name) for one in (found, again))
        np.testing.assert_array_equal(*of_both)
    np.testing.assert_array_equal(again.neighbors, found.neighbors)

    model, _ = saving.read(folder)
    images = GENERATOR.integers(0, 9, (5, 1, 2, 2), dtype=np.uint8)
    both = inference.Runtime.tensorflow(known.with_distance(model, found.neighbors))
    answers = both.call(images)
    assert answers.shape == (5, 4)
    np.testing.assert_allclose(answers[:, :3], model.predict(images, verbose=0), atol=1e-6)

    (folder / known.NEIGHBORS_FILE).write_bytes(b"other")
    with pytest.raises(DataError, match=r"neighbors\.npy: damaged since it was written"):
        known.read(folder, described, with_neighbors=True)
    (folder / known.VALIDATION_FILE).unlink()
    with pytest.raises(DataError, match=r"validation\.csv: not found; the stage train writes it"):
        known.read(folder, described, with_neighbors=False)
