import numpy as np
import pytest

from imago.runtimes import calls


class Recorder:
    """Answers with the first value of each image, and keeps how many there were in each call."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.sizes.append(len(images))
        return images.reshape(len(images), -1)[:, :1].astype(np.float32)


def test_batches_cover_every_image_in_order():
    call, told = Recorder(), []
    images = np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1)

    found = np.concatenate(list(calls.in_batches(call, images, 3, told.append)))
    assert call.sizes == told == [3, 3, 1]
    assert found.ravel().tolist() == list(range(7))


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((28, 28, 1), 1000),
        ((32, 32, 1), 1000),
        ((32, 32, 3), 500),
        ((128, 128, 1), 500),
        ((128, 128, 3), 100),
        ((224, 224, 3), 20),
    ],
)
def test_the_larger_the_images_the_fewer_are_in_a_call(shape, size):
    assert calls.batch_size(np.zeros((0, *shape), np.uint8)) == size


def test_probabilities_are_those_of_all_images():
    call = Recorder()
    images = np.zeros((45, 160, 160, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(45)

    found = calls.probabilities(call, images)
    assert call.sizes == [20, 20, 5]
    assert (found.shape, found.dtype) == ((45, 1), np.float32)
    assert found.ravel().tolist() == list(range(45))
