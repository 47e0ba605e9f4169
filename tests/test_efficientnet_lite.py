"""The nets against PyTorch's own, by features that it gave once: tests/efficientnet_lite.json.

Those are of PyTorch 1.13.1 and the package efficientnet_lite_pytorch 0.1.0, of

    model = EfficientNet.from_name("efficientnet-lite0", image_size=None).eval()
    pixels = torch.from_numpy(((IMAGES.astype(np.float32) - 127) / 128).transpose(0, 3, 1, 2))
    model.extract_features(pixels).mean(dim=(2, 3))[:, ::EACH]

with the weights of `torch_file.random` ("random"), and with those that are published ("published").
"""

import functools
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from imago.backbones import efficientnet_lite
from imago.core.errors import DataError
from imago.sources import fetching
from tests import torch_file

NAMES = efficientnet_lite.NAMES
SHAPE = (64, 96, 3)
IMAGES = np.random.default_rng(7).integers(0, 256, (2, *SHAPE), dtype=np.uint8)
EACH = 40
FEATURES = json.loads(
    Path(__file__).with_suffix(".json").with_stem("efficientnet_lite").read_text()
)


tensors_of = functools.cache(torch_file.of_lite)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "lite0.pth"
    torch_file.write(path, tensors_of("EfficientNetLite0"))
    return path


def features(name: str, weights: Path) -> np.ndarray:
    model = efficientnet_lite.build(name, SHAPE, weights)
    return model(IMAGES, training=False).numpy().mean(axis=(1, 2))[:, ::EACH]


@pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(n, marks=pytest.mark.slow) for n in NAMES[1:])]
)
def test_features_are_those_of_pytorch(name: str, tmp_path: Path) -> None:
    torch_file.write(tmp_path / "net.pth", tensors_of(name))
    wanted = np.array(FEATURES[name]["random"])
    np.testing.assert_allclose(features(name, tmp_path / "net.pth") / 6, wanted / 6, atol=1e-4)


@pytest.mark.network
@pytest.mark.parametrize("name", NAMES)
def test_features_of_published_weights(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (published,) = efficientnet_lite.PUBLISHED[name]
    files = {published.file: published.digest}
    fetching.fill(tmp_path / "net", "weights.net", files, [published.source])
    wanted = np.array(FEATURES[name]["published"])
    np.testing.assert_allclose(features(name, tmp_path / "net" / published.file), wanted, atol=1e-4)


@pytest.mark.slow
def test_plain_keras_loads_it_in_safe_mode(weights: Path, tmp_path: Path) -> None:
    model = efficientnet_lite.build("EfficientNetLite0", SHAPE, weights)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(IMAGES).numpy(), model(IMAGES).numpy())


def test_another_net(weights: Path) -> None:
    message = (
        r"lite0\.pth: must hold the weights of EfficientNetLite2: the tensor "
        r"_blocks\.\d+\._\w+\.weight must have the shape .*, got .*; name the right file in"
    )
    with pytest.raises(DataError, match=message):
        efficientnet_lite.build("EfficientNetLite2", SHAPE, weights)


def test_a_page_in_place_of_weights(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_text("<html>Please log in</html>")
    with pytest.raises(DataError, match=r"net\.pth: must hold the weights of EfficientNetLite0: "):
        efficientnet_lite.build("EfficientNetLite0", SHAPE, tmp_path / "net.pth")


def test_a_tensor_that_is_missing(tmp_path: Path) -> None:
    tensors = dict(tensors_of("EfficientNetLite0"))
    del tensors["_bn1.running_var"]
    torch_file.write(tmp_path / "net.pth", tensors)
    with pytest.raises(
        DataError, match=r"_bn1\.running_var must have the shape \(1280,\), got none"
    ):
        efficientnet_lite.build("EfficientNetLite0", SHAPE, tmp_path / "net.pth")
