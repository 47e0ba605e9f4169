"""The stage on a tiny net, which stands for one of keras.applications."""

import contextlib
import logging
import shutil

import keras
import numpy as np
import pytest

from imago.backbones import mobilenet_v2
from imago.core.errors import DataError, ParamsError
from imago.runtimes import inference, saving
from stages import backbone
from tests import tiny_net
from tests.trees import contents

SHAPE = (32, 32, 3)
PARAMS = """
seed: 20
datasets: {}
prepare: {}
weights:
  net: {files: {net.h5: unpublished}, sources: [own]}
backbones:
  net32: {net: MobileNetV2, weights: net, image_size_px: 32, pooling: average}
features: {}
exports: {}
experiments: {}
"""
IMAGES = np.random.default_rng(5).integers(0, 256, (9, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module", autouse=True)
def _tiny():
    """Let a tiny net stand for the backbone, which is tested in tests/test_backbones.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilenet_v2, "build", tiny_net.build)
        yield


@pytest.fixture(scope="module")
def net():
    keras.utils.set_random_seed(1)
    return tiny_net.untrained(SHAPE)


@pytest.fixture(scope="module")
def weights(tmp_path_factory, net):
    path = tmp_path_factory.mktemp("weights") / "net.weights.h5"
    net.save_weights(path)
    return path


@pytest.fixture
def tree(tmp_path, monkeypatch, weights):
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path, weights)
    return tmp_path


def write_tree(folder, weights):
    (folder / "params.yaml").write_text(PARAMS, "utf-8")
    (folder / "data/weights/net").mkdir(parents=True)
    shutil.copy(weights, folder / "data/weights/net")


@pytest.fixture(scope="module")
def built(tmp_path_factory, weights):
    """A tree after the stage."""
    tree = tmp_path_factory.mktemp("built")
    write_tree(tree, weights)
    with contextlib.chdir(tree):
        backbone.main("net32")
    return tree / "data/backbones/net32"


def assert_equal_to_1e_4(found, expected):
    scale = np.abs(expected).max()  # little: random weights let a signal fade
    assert np.abs(expected[0] - expected[1]).max() > 0.01 * scale
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-4)


def test_keras_and_litert_give_the_mean_of_the_nets_maps(built, net):
    expected = net.predict(IMAGES, verbose=0).mean(axis=(1, 2))
    model = keras.saving.load_model(built / "model.keras", safe_mode=True)
    assert_equal_to_1e_4(model.predict(IMAGES, verbose=0), expected)
    runtime = inference.Runtime.litert((built / "model.tflite").read_bytes())
    assert_equal_to_1e_4(np.concatenate(list(runtime.outputs(IMAGES, lambda _: None))), expected)


def test_nothing_learns(built):
    model = saving.read_model(built / "model.keras")
    assert model.trainable_weights == []
    assert not any(layer.trainable for layer in model.layers if layer.weights)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


def test_two_runs_write_equal_bytes(tree, built, caplog):
    with caplog.at_level(logging.INFO, "imago"):
        backbone.main("net32")
    assert contents(tree / "data/backbones/net32") == contents(built)
    assert set(contents(built)) == {"model.keras", "model.tflite", "model.json"}
    (message,) = caplog.messages
    assert message.startswith("net32: MobileNetV2, 16 features of an image; LiteRT's are Keras'")


@pytest.mark.parametrize(("pooling", "over"), [("average", np.mean), ("max", np.max)])
def test_pooling(pooling, over):
    pixels = keras.Input((6, 8, 3), dtype="uint8", name="pixels")
    convolution = keras.layers.Conv2D(4, 3, name="convolution")
    net = keras.Model(pixels, convolution(keras.layers.Rescaling(1 / 255)(pixels)), name="net")

    model = backbone.frozen(net, pooling)

    images = IMAGES[:3, :6, :8]
    maps = net(images).numpy()
    assert maps.shape == (3, 4, 6, 4)
    np.testing.assert_allclose(model(images).numpy(), over(maps, axis=(1, 2)), atol=1e-6)
    assert model.name == "net"


def test_forms_that_differ_are_not_written(tree, monkeypatch):
    monkeypatch.setattr(saving, "GREATEST_DIFFERENCE", -1.0)
    with pytest.raises(DataError, match=r"net32: tinynet's features in LiteRT must be those in K"):
        backbone.main("net32")
    assert not list((tree / "data").glob("backbones/*"))


@pytest.mark.parametrize("names", [[], ["a.h5", "b.h5"]], ids=["none", "two"])
def test_weights_are_one_file(tree, names):
    (tree / "data/weights/net/net.weights.h5").unlink()
    for name in names:
        (tree / "data/weights/net" / name).touch()

    message = (
        f"data/weights/net: must hold one file of weights, got {', '.join(names) or 'none'}; run"
    )
    with pytest.raises(DataError, match=message):
        backbone.main("net32")
    assert not (tree / "data/backbones").exists()


@pytest.mark.parametrize("digest", ["f" * 64, f"md5:{'f' * 32}"], ids=["sha256", "md5"])
def test_weights_that_are_not_those_of_params_yaml(tree, digest):
    path = tree / "params.yaml"
    text = path.read_text("utf-8").replace("{net.h5: unpublished}", f"{{net.weights.h5: {digest}}}")
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"net\.weights\.h5: damaged since it was fetched"):
        backbone.main("net32")


@pytest.mark.usefixtures("tree")
def test_unknown_backbone():
    with pytest.raises(ParamsError, match=r"unknown backbone 'cats'; params\.yaml has net32"):
        backbone.main("cats")
