import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from imago.runtimes import determinism


@pytest.fixture(autouse=True)
def leave_a_seed():
    yield
    determinism.enable(0)


def draw_with_dropout() -> list[float]:
    dropout = keras.layers.Dropout(0.5, name="dropout")
    return dropout(np.ones((4, 8)), training=True).numpy().ravel().tolist()


def draw_weights() -> list[float]:
    dense = keras.layers.Dense(3, name="dense")
    dense.build((None, 4))
    return dense.get_weights()[0].ravel().tolist()


DRAWS = {
    "python": lambda: [random.random() for _ in range(4)],
    "numpy": lambda: np.random.rand(4).tolist(),  # noqa: NPY002 - the generator that is seeded
    "tensorflow": lambda: tf.random.uniform([4]).numpy().tolist(),
    "keras": lambda: keras.ops.convert_to_numpy(keras.random.uniform([4])).tolist(),
    "initializer": draw_weights,
    "dropout": draw_with_dropout,
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_equal_seeds_give_equal_draws_and_others_do_not(draw):
    drawn = []
    for seed in (7, 7, 8):
        determinism.enable(seed)
        drawn.append([draw(), draw()])

    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0][0] != drawn[0][1]


@pytest.mark.parametrize("seed", [0, 2**32 - 1], ids=["least", "greatest"])
def test_every_seed_that_params_allow_is_taken(seed):
    drawn = []
    for given in (seed, 7, seed):
        determinism.enable(given)
        drawn.append([draw() for draw in DRAWS.values()])

    assert drawn[0] == drawn[2]
    assert not any(one == other for one, other in zip(drawn[0], drawn[1], strict=True))


@pytest.mark.parametrize("draw", [DRAWS["python"], DRAWS["numpy"]], ids=["python", "numpy"])
def test_without_a_seed_the_generators_go_on(draw):
    determinism.enable(7)
    expected = [draw(), draw()]

    determinism.enable(7)
    first = draw()
    determinism.enable()
    assert [first, draw()] == expected


@pytest.mark.parametrize("seed", [None, 7], ids=["no seed", "a seed"])
def test_operations_that_vary_are_forbidden(seed):
    determinism.enable(seed)

    tf.random.set_seed(None)
    with pytest.raises(RuntimeError, match="Random ops require a seed"):
        tf.random.uniform([1])
