from pathlib import Path

import keras
import numpy as np
import pytest

from imago.core import workers
from imago.runtimes import inference, trained
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


def test_what_a_gpu_runs_is_filled_up_to_one_batch_size(monkeypatch, model, images) -> None:
    monkeypatch.setattr(inference, "IMAGES_PER_GPU_BATCH", 4)
    monkeypatch.setattr(inference, "BATCHES_PER_GPU_CALL", 2)
    told: list[int] = []
    found = np.concatenate(list(Runtime.gpu(model).outputs(images, told.append)))
    np.testing.assert_allclose(found, model.predict(images, verbose=0), atol=1e-5)
    assert told == [8, 3]


@pytest.mark.parametrize(
    ("pays", "name"), [(True, trained.KERAS_FILE), (False, trained.LITERT_FILE)]
)
def test_the_file_is_that_of_what_runs_it(monkeypatch, tmp_path, pays: bool, name: str) -> None:
    for one in (trained.KERAS_FILE, trained.LITERT_FILE):
        (tmp_path / one).touch()
    monkeypatch.setattr(inference, "pays_on_gpu", lambda _: pays)
    assert trained.file(tmp_path, 1).name == name


def test_a_gpu_is_for_many_images_on_one_machine(monkeypatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter([Path("/dev/nvidia0")]))
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda _: ["a GPU"])
    assert inference.pays_on_gpu(inference.FEWEST_ON_GPU)
    assert not inference.pays_on_gpu(inference.FEWEST_ON_GPU - 1)
    monkeypatch.setenv(workers.VARIABLE, "tcp://127.0.0.1:9")
    assert not inference.pays_on_gpu(inference.FEWEST_ON_GPU)
