"""Each net against keras.applications itself, with random weights and its own preprocessing."""

import inspect
import itertools
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from imago import backbones
from imago.backbones import _building, efficientnet_lite, mobilenet_v2
from imago.core import registry
from imago.core.errors import DataError, ParamsError
from imago.core.sections import UNPUBLISHED
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


def replace(monkeypatch: pytest.MonkeyPatch, name: str, maps: Callable[[Any], Any]) -> None:
    """Let what makes maps of an input stand for a net of keras.applications."""

    def application(input_tensor: Any, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(output=maps(input_tensor))

    monkeypatch.setattr(keras.applications, name, application)


def small(tensor: Any) -> Any:
    layers = keras.layers
    maps = layers.Conv2D(4, 3, strides=4, name="first")(tensor)
    maps = layers.BatchNormalization(name="norm")(maps)
    return layers.Conv2D(5, 3, name="second")(maps)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> keras.Model:
    """A small net with random weights, which stands for MobileNetV2."""
    replace(monkeypatch, "MobileNetV2", small)
    pixels = keras.Input(SHAPE)
    return keras.Model(pixels, small(pixels))


@pytest.fixture
def weights(net: keras.Model, tmp_path: Path) -> Path:
    path = tmp_path / "published.weights.h5"
    net.save_weights(path)
    return path


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    family = registry.load(backbones, registry.offers(backbones)[name])
    return family.build(name, image_shape, weights)


def test_every_name_is_tested() -> None:
    elsewhere = set(efficientnet_lite.NAMES)  # in tests/test_efficientnet_lite.py
    assert set(registry.offers(backbones)) - elsewhere == set(MODULES)


# One that begins with its own preprocessing, and one that does not.
QUICK = ("MobileNetV2", "MobileNetV3Small")
QUICK_FIRST = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in MODULES
]


class _AskedFor(Exception):
    """Ends what would download weights."""


@pytest.mark.parametrize("name", QUICK_FIRST)
def test_published_weights_are_those_that_keras_itself_would_download(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_file(file: str, url: str, *, file_hash: str | None = None, **_: Any) -> None:
        raise _AskedFor(file, url, file_hash)

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    published = registry.load(backbones, registry.offers(backbones)[name]).PUBLISHED[name]
    for one in published[-1:] if name == "MobileNetV2" else published:
        shape = (one.image_size_px, one.image_size_px, 3)
        with pytest.raises(_AskedFor) as asked:
            getattr(keras.applications, name)(
                include_top=False, weights="imagenet", input_shape=shape
            )
        digest = None if one.digest == UNPUBLISHED else one.digest.removeprefix("md5:")
        assert asked.value.args == (one.file, one.source.format(name=one.file), digest)


@pytest.mark.parametrize("name", MODULES)
def test_published_weights_are_in_keras_own_tables(name: str) -> None:
    """Quicker than the above, which builds each net."""
    module = import_module(getattr(keras.applications, name).__module__)
    source = "".join(inspect.getsource(module).split())
    if name == "ResNet50V2":
        source += "".join(inspect.getsource(import_module("keras.src.applications.resnet")).split())
    for one in registry.load(backbones, registry.offers(backbones)[name]).PUBLISHED[name]:
        assert f'"{one.source.removesuffix("{name}")}"' in source
        assert one.digest == UNPUBLISHED or f'"{one.digest.removeprefix("md5:")}"' in source


@pytest.mark.parametrize("name", QUICK_FIRST)
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


@pytest.mark.parametrize("name", MODULES)
def test_a_net_gets_what_it_was_trained_with(
    name: str, images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file that plain Keras loads in safe mode; a layer that does nothing is the net."""
    replace(monkeypatch, name, keras.layers.Identity(name="maps"))
    monkeypatch.setattr(_building, "_load", lambda *_: None)
    (tmp_path / "net.h5").touch()
    build(name, SHAPE, tmp_path / "net.h5").save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)

    preprocess = import_module(f"keras.applications.{MODULES[name]}").preprocess_input
    wanted = preprocess(images.astype(np.float32))
    np.testing.assert_allclose(loaded(images).numpy(), wanted, rtol=0, atol=1e-6)


def test_files_as_keras_publishes_them(
    net: keras.Model, weights: Path, images: np.ndarray, tmp_path: Path
) -> None:
    write_as_published(net, tmp_path / "net.h5")
    first = mobilenet_v2.build("MobileNetV2", SHAPE, weights)
    second = mobilenet_v2.build("MobileNetV2", SHAPE, tmp_path / "net.h5")
    pixels = images.astype(np.float32) / 127.5 - 1
    for model in (first, second):
        np.testing.assert_allclose(model(images).numpy(), net(pixels).numpy(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50"])
def test_plain_keras_loads_it_in_safe_mode(
    name: str, images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_building, "_load", lambda *_: None)  # random weights do
    (tmp_path / "net.h5").touch()
    model = build(name, SHAPE, tmp_path / "net.h5")
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
        written = keras.Model(net.input, net.get_layer("norm").output)
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
