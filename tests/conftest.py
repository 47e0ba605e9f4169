"""What the tests share: TensorFlow without its start-up notes, and a tiny data set to learn."""

import os

import numpy as np
import pytest

from imago.arrays import Split

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def blobs() -> Split:
    """70 images of 4×4×1, three classes that differ in brightness; easy to learn."""
    generator = np.random.default_rng(7)
    labels = generator.integers(0, 3, 70, dtype=np.int32)
    noise = generator.integers(0, 60, (70, 4, 4, 1))
    return Split((noise + labels[:, None, None, None] * 90).astype(np.uint8), labels)
