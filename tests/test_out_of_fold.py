"""Training images asked of heads that have not learnt from them."""

import functools
import tracemalloc

import numpy as np
import pytest

from imago.core.errors import DataError
from imago.data.arrays import Split
from imago.models import transfer
from imago.training import certainty, out_of_fold, phases

CLASSES, FEATURES, COPIES, FOLDS = 3, 8, 1, 3
TRAINING = transfer.Settings(
    model="transfer",
    hidden_units=[],
    dropout=0.0,
    optimizer="adam",
    learning_rate=0.05,
    epochs=4,
    batch_size=16,
    jit_compile=False,
    class_weights="balanced",
    certainty={"temperature": True, "neighbors": 15, "folds": FOLDS},
)


def noise(counts):
    """Features and labels of so many images of each class, each with a copy that is near to it."""
    generator = np.random.default_rng(4)
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    features = generator.normal(size=(len(labels), FEATURES)).astype(np.float32)
    copies = features + np.float32(0.01)
    both = np.stack([features, copies], axis=1).reshape(-1, FEATURES)
    return Split(both, np.repeat(labels, 1 + COPIES))


def asked(train, given=()):
    classes = int(train.labels.max()) + 1
    build = functools.partial(transfer.build, TRAINING, (FEATURES,), classes, None)
    return out_of_fold.answers(build, TRAINING, train, COPIES, given, 6)


@pytest.fixture
def learnt(monkeypatch):
    """What each head has learnt from, as it came."""
    seen, fit = [], phases.fit_unsaved

    def record(model, training, train, seed):
        seen.append(train)
        fit(model, training, train, seed)

    monkeypatch.setattr(phases, "fit_unsaved", record)
    return seen


def rows_of(train, some):
    """Which images of `train` are among those that were learnt from, copies with them."""
    place = {row.tobytes(): number for number, row in enumerate(train.images)}
    found = [place[row.tobytes()] for row in some.images]
    assert (train.labels[found] == some.labels).all()
    assert found[1::2] == [row + 1 for row in found[::2]]  # each is followed by its copy
    return set(found[::2])


def test_each_image_is_asked_once_by_a_head_that_knows_its_class_and_not_it(learnt):
    train = noise([20, 20, 20])
    given = ["twins" if row in {0, 19, 59} else "" for row in range(60)]

    found = asked(train, given)

    everything = set(range(0, 120, 2))
    held_out = [everything - rows_of(train, some) for some in learnt]
    assert len(held_out) == FOLDS
    assert sorted(row for some in held_out for row in some) == sorted(everything)
    assert any({0, 38, 118} <= some for some in held_out)
    assert all(set(some.labels) == {0, 1, 2} for some in learnt)
    assert sorted(found.labels) == sorted(train.labels[::2])
    assert found.probabilities.shape == (60, 3)
    assert (found.probabilities.argmax(1) == found.labels).mean() < 0.6  # for it is noise
    np.testing.assert_allclose(found.distance, distances(train, learnt), atol=1e-6)


def distances(train, learnt):
    """How far each image is from the fifth nearest that its head remembers, in folds' order."""
    unit = train.images / np.linalg.norm(train.images, axis=1, keepdims=True)
    expected = []
    for some in learnt:
        rows = rows_of(train, some)
        of_some = sorted(rows)
        kept = certainty.neighbor_rows(some.labels, COPIES, 15, 6)
        neighbors = unit[[of_some[row // 2] for row in kept]]
        held_out = sorted(set(range(0, len(train.labels), 2)) - rows)
        expected += (1 - np.sort(unit[held_out] @ neighbors.T, axis=1)[:, -5]).tolist()
    return expected


def test_twice_the_same():
    first, second = (asked(noise([9, 9, 9])) for _ in range(2))
    for name in ("labels", "probabilities", "distance"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_the_only_image_of_a_class_is_learnt_from_and_not_asked(learnt):
    train = noise([12, 12, 1])

    found = asked(train)

    assert sorted(found.labels) == [0] * 12 + [1] * 12
    assert all(48 in rows_of(train, some) for some in learnt)


def test_none_that_can_be_asked():
    with pytest.raises(DataError, match=r"^train\.certainty\.folds: a class must have two images"):
        asked(noise([1, 1, 1]))
    with pytest.raises(DataError, match=r"add images, or leave out train\.certainty and unsure$"):
        asked(noise([3, 3, 3]), [str(row // 3) for row in range(9)])


def test_a_rare_class_does_not_make_the_folds_fewer(learnt):
    asked(noise([20, 20, 2]))
    assert len(learnt) == FOLDS


def test_what_is_of_a_group_with_the_only_image_of_a_class_is_learnt_from_too(learnt):
    train = noise([12, 12, 1])
    found = asked(train, ["twins" if row in {3, 24} else "" for row in range(25)])
    assert sorted(found.labels) == [0] * 11 + [1] * 12
    assert all({6, 48} <= rows_of(train, some) for some in learnt)


def at_angles(*degrees):
    angles = np.radians(np.array(degrees, np.float64))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_alike_by_features_or_by_name_belong_together():
    near = at_angles(0, 20, 40, 180, 180)  # of 25.8 degrees the cosine is 0.9
    features = np.eye(18, dtype=np.float32)[np.arange(18)]
    features[:5], features[:5, :2] = 0, 7 * near
    names = [""] * 16 + ["x", "x"]
    found = out_of_fold.groups(features, np.zeros(18, np.int32), names)
    assert len(set(found[:3])) == 1  # each is like the next
    assert found[3] == found[4]
    assert found[16] == found[17]
    assert len(set(found)) == 18 - 2 - 1 - 1


def test_one_picture_in_a_large_and_a_small_class():
    """Three alike are no look of the one class, and would be of the other."""
    features = np.eye(46, dtype=np.float32)
    features[:3], features[:3, :2] = 0, at_angles(0, 10, 20)
    features[40] = features[0]
    found = out_of_fold.groups(features, np.array([0] * 40 + [1] * 6, np.int32), [])
    assert found[0] == found[40]


def test_very_many_that_are_alike_take_no_room_as_pairs():
    generator = np.random.default_rng(0)
    features = 1 + 0.1 * generator.normal(size=(3000, 8)).astype(np.float32)
    labels = np.zeros(3000, np.int32)
    tracemalloc.start()
    found = out_of_fold.groups(features, labels, [])
    assert tracemalloc.get_traced_memory()[1] < 100e6  # as pairs they would take 600
    tracemalloc.stop()
    assert len(set(found)) > 2000  # the likeness is that of the class


def test_a_likeness_that_is_the_look_of_a_class_says_nothing():
    features = at_angles(*np.arange(0, 80, 8), 0, 200)  # all of the first class, one twice
    labels = np.array([0] * 11 + [1], np.int32)
    found = out_of_fold.groups(features, labels, [])
    assert found[0] == found[10]
    assert len(set(found)) == 11
