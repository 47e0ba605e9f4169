import numpy as np
import pytest

from imago.training import class_weights


def test_balanced_by_hand():
    labels = np.array([0, 0, 0, 1, 2, 2], np.int32)

    # 6 examples, 3 classes: each class is to count 2.
    assert class_weights.balanced(labels) == pytest.approx([2 / 3, 2.0, 1.0])


def test_classes_of_one_size_weigh_1():
    assert class_weights.balanced(np.tile(np.arange(4, dtype=np.int32), 5)) == [1.0] * 4
