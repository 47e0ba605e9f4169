import keras
import numpy as np
import pytest

from imago.runtimes.inference import IMAGES_PER_THREAD, Runtime, to_litert


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(2)
    pixels = keras.Input((6, 5, 3), dtype="uint8", name="pixels")
    maps = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    maps = keras.layers.Conv2D(4, 3)(maps)
    maps = keras.layers.BatchNormalization()(maps)
    return keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(maps))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (11, 6, 5, 3), dtype=np.uint8)


@pytest.fixture(params=[1, 2, None], ids=["litert 1 thread", "litert 2 threads", "tensorflow"])
def runtime(request: pytest.FixtureRequest, model: keras.Model) -> Runtime:
    if request.param is None:
        return Runtime.tensorflow(model)
    return Runtime.litert(to_litert(model), request.param)


def test_features_are_those_of_keras(
    runtime: Runtime, model: keras.Model, images: np.ndarray
) -> None:
    found = np.concatenate(list(runtime.outputs(images, lambda _: None)))
    assert (found.shape, found.dtype) == ((11, 4), np.float32)
    np.testing.assert_allclose(found, model.predict(images, verbose=0), atol=1e-5)
    again = np.concatenate(list(runtime.outputs(images, lambda _: None)))
    np.testing.assert_array_equal(found, again)


def test_blocks_are_given_one_at_a_time(model: keras.Model, images: np.ndarray) -> None:
    told: list[int] = []
    blocks = Runtime.litert(to_litert(model), 1).outputs(images, told.append)
    assert told == []
    assert len(next(blocks)) == IMAGES_PER_THREAD
    assert [len(block) for block in blocks] == [4, 3]
    assert told == [4, 4, 3]


def test_the_last_block_is_not_that_of_an_earlier_call(
    model: keras.Model, images: np.ndarray
) -> None:
    runtime = Runtime.litert(to_litert(model), 1)
    first, second, _ = runtime.outputs(images, lambda _: None)
    assert not np.array_equal(first, second)  # a view of the runtime's memory would have changed


def test_memory_mapped_images(model: keras.Model, images: np.ndarray, tmp_path) -> None:
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    runtime = Runtime.litert(to_litert(model))
    found = np.concatenate(list(runtime.outputs(mapped, lambda _: None)))
    np.testing.assert_allclose(found, model.predict(images, verbose=0), atol=1e-5)
