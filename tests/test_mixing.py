import numpy as np
import pytest
import tensorflow as tf

from imago.training import mixing


def test_shares_are_those_of_the_nearer_example():
    shares = mixing.draw(0.4, 4000, np.random.default_rng(3))

    assert (shares.shape, shares.dtype) == ((4000, 1), np.float32)
    assert shares.min() >= 0.5
    assert shares.max() <= 1
    # Of a number x of Beta(a, a) the mean of x (1 - x) is a / (4 a + 2), whichever part is kept.
    assert (shares * (1 - shares)).mean() == pytest.approx(0.4 / 3.6, abs=0.005)
    again = mixing.draw(0.4, 4000, np.random.default_rng(3))
    assert shares.tobytes() == again.tobytes()


@pytest.mark.parametrize("alpha", [0.01, 100.0])
def test_shares_are_numbers_at_the_bounds_of_params(alpha):
    shares = mixing.draw(alpha, 4000, np.random.default_rng(3))
    assert np.isfinite(shares).all()


def test_each_example_is_mixed_with_its_opposite():
    shares = tf.constant([[1.0], [0.5], [0.75]])

    features = mixing.mix(tf.constant([[0.0, 4.0], [2.0, 2.0], [8.0, 0.0]]), shares)
    assert features.numpy().tolist() == [[0, 4], [2, 2], [6, 1]]

    images = tf.constant(np.array([10, 7, 255], np.uint8).reshape(3, 1, 1, 1))
    mixed = mixing.mix(images, shares)
    assert mixed.dtype == tf.uint8
    assert mixed.numpy().ravel().tolist() == [10, 7, 194]  # 0.75 * 255 + 0.25 * 10 = 193.75
