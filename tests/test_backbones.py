"""Each net against keras.applications itself, with random weights and its own preprocessing."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from imago import backbones
from imago.backbones import _building, densenet, mobilenet_v2, resnet
from imago.core import registry
from imago.core.errors import DataError, ParamsError
from tests.tiny_project import write_as_published

SHAPE = (32, 40, 3)
MODULES = {
    "DenseNet121": "densenet",
    "EfficientNetV2B0": "efficientnet_v2",
    "EfficientNetV2B1": "efficientnet_v2",
    "EfficientNetV2B2": "efficientnet_v2",
    "EfficientNetV2B3": "efficientnet_v2",
    "MobileNetV2": "mobilenet_v2",
    "MobileNetV3Large": "mobilenet_v3",
    "MobileNetV3Small": "mobilenet_v3",
    "ResNet50": "resnet50",
    "ResNet50V2": "resnet_v2",
}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (3, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module")
def net() -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=SHAPE)


@pytest.fixture(scope="module")
def weights(net: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "net.weights.h5"
    net.save_weights(path)
    return path


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    family = registry.load(backbones, registry.offers(backbones)[name])
    return family.build(name, image_shape, weights)


def test_every_name_is_tested() -> None:
    assert list(registry.offers(backbones)) == list(MODULES)


# Greater ones of a family, in nothing else different from another one.
GREATER = ("EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "MobileNetV3Large")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in GREATER else ()) for name in MODULES],
)
def test_maps_are_those_of_keras_applications(
    name: str, images: np.ndarray, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(1)
    expected = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=SHAPE)
    preprocess = import_module(f"keras.applications.{MODULES[name]}").preprocess_input
    write_as_published(expected, tmp_path / "net.h5")

    model = build(name, SHAPE, tmp_path / "net.h5")

    wanted = expected(preprocess(images.astype(np.float32)), training=False).numpy()
    found = model(images, training=False).numpy()
    assert found.dtype == np.float32
    scale = np.abs(wanted).max()  # what random weights leave of the signal
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01 * scale
    np.testing.assert_allclose(found / scale, wanted / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "preprocess_pixels"),
    [
        ("DenseNet121", densenet.preprocess),
        ("MobileNetV2", _building.to_plus_minus_one),
        ("ResNet50", resnet.preprocess),
    ],
    ids=["DenseNet121", "MobileNetV2", "ResNet50"],
)
def test_preprocessing_is_that_of_keras_applications(
    name: str, preprocess_pixels: Callable[[Any], Any], images: np.ndarray
) -> None:
    pixels = keras.Input(SHAPE, dtype="uint8")
    model = keras.Model(pixels, preprocess_pixels(pixels))
    preprocess = import_module(f"keras.applications.{MODULES[name]}").preprocess_input
    found, wanted = model(images).numpy(), preprocess(images.astype(np.float32))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


def test_files_as_keras_publishes_them(
    net: keras.Model, weights: Path, images: np.ndarray, tmp_path: Path
) -> None:
    write_as_published(net, tmp_path / "net.h5")
    first = mobilenet_v2.build("MobileNetV2", SHAPE, weights)
    second = mobilenet_v2.build("MobileNetV2", SHAPE, tmp_path / "net.h5")
    np.testing.assert_array_equal(first(images).numpy(), second(images).numpy())


@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50"])
def test_plain_keras_loads_it_in_safe_mode(
    name: str, weights: Path, images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_building, "_load", lambda *_: None)  # random weights do
    model = build(name, SHAPE, weights)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(images).numpy(), model(images).numpy())
    assert not any(isinstance(layer, keras.Model) for layer in loaded.layers)


@pytest.mark.parametrize("shape", [(31, 32, 3), (32, 31, 3), (32, 32, 1)])
def test_images_that_a_net_cannot_take(shape: tuple[int, int, int], weights: Path) -> None:
    got = "×".join(map(str, shape))
    message = f"MobileNetV2: images must be RGB of 32×32 px or more, got {got}; change"
    with pytest.raises(ParamsError, match=message):
        mobilenet_v2.build("MobileNetV2", shape, weights)


def test_missing_weights() -> None:
    with pytest.raises(DataError, match=r"^none\.h5: not found; run the stage that fetches it$"):
        mobilenet_v2.build("MobileNetV2", SHAPE, Path("none.h5"))


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        *itertools.product(["a page", "half a file", "another net"], [".h5", ".weights.h5"]),
        ("a head too", ".h5"),
    ],
)
def test_weights_of_something_else(
    content: str, suffix: str, net: keras.Model, tmp_path: Path
) -> None:
    path = tmp_path / f"net{suffix}"
    if content == "a page":
        path.write_text("<html>Please log in</html>")
    else:
        write_another(net, path, content)
    with pytest.raises(DataError, match=f"net{suffix}: must hold the weights of MobileNetV2 with"):
        mobilenet_v2.build("MobileNetV2", SHAPE, path)


def write_another(net: keras.Model, path: Path, content: str) -> None:
    written = net
    if content == "another net":
        written = keras.Model(net.input, net.get_layer("block_2_add").output)
    if content == "a head too":
        written = keras.Model(net.input, keras.layers.Dense(2)(net.output))
    if path.name.endswith(".weights.h5"):
        written.save_weights(path)
    else:
        write_as_published(written, path)
    if content == "half a file":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_names_are_known_without_keras() -> None:
    script = (
        "import sys; from imago import backbones; from imago.core import registry; "
        "registry.offers(backbones); print(*sys.modules)"
    )
    modules = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not {"tensorflow", "keras", "numpy"} & set(modules)
