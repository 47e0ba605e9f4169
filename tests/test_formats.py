import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from tensorflow.core.protobuf import fingerprint_pb2

from imago.core import registry
from imago.exports import formats
from imago.exports.source import Source
from imago.runtimes import calls
from imago.runtimes.model_json import ExportDescription
from tests.trees import contents

FORMATS = {name: registry.load(formats, name) for name in registry.names(formats)}
DESCRIPTION = ExportDescription(
    experiment="some",
    classes=("a", "b", "ç", "d"),
    input={"name": "pixels"},
    output={"name": "probabilities"},
    formats={},
)
WRITE = """
import sys, pathlib, keras, numpy
from imago.exports.source import Source
from tests.test_formats import DESCRIPTION, FORMATS
model, images, folder = keras.saving.load_model(sys.argv[1]), numpy.load(sys.argv[2]), sys.argv[3]
for exported in FORMATS.values():
    exported.write(Source(model, DESCRIPTION, images), pathlib.Path(folder, exported.FILE_NAME))
"""


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def source(images) -> Source:
    keras.utils.set_random_seed(2)
    pixels = keras.Input((6, 5, 3), dtype="uint8", name="pixels")
    # Its mean and variance are constants and no weights, which formats treat in another way.
    layers = keras.layers.Normalization(mean=[90, 100, 110], variance=[60.0, 50, 40], name="norm")
    layers = layers(pixels)
    layers = keras.layers.Conv2D(4, 3, activation="relu", name="convolution")(layers)
    layers = keras.layers.BatchNormalization(name="batch")(layers)
    layers = keras.layers.Flatten(name="flatten")(keras.layers.Dropout(0.5, name="drop")(layers))
    head = keras.layers.Dense(4, activation="softmax", name="probabilities")
    return Source(keras.Model(pixels, head(layers), name="m"), DESCRIPTION, images)


@pytest.fixture(scope="module")
def written(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    for exported in FORMATS.values():
        exported.write(source, folder / exported.FILE_NAME)
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_raw_pixels_and_gives_keras_probabilities(name, source, images, written):
    exported = FORMATS[name]
    call = exported.load(written / exported.FILE_NAME, 1)
    found = np.concatenate(list(calls.in_batches(call, images[:11], 4)))
    assert (found.shape, found.dtype) == ((11, 4), np.float32)
    tolerance = {"litert_fp16": 0.01, "litert_int8": 0.2}.get(name, 1e-5)
    np.testing.assert_allclose(
        found, source.model.predict(images[:11], verbose=0), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize(
    ("library", "module"),
    [
        ("ai_edge_litert", "imago/runtimes/litert.py"),
        ("tf.lite", "imago/runtimes/litert.py"),
        ("import onnxruntime", "imago/runtimes/onnx_model.py"),
        ("tf2onnx", "imago/exports/onnx_conversion.py"),
    ],
)
def test_one_module_knows_each_runtime_and_each_converter(library, module):
    """So that another can take its place; the snippets are text for people to copy."""
    root = Path(__file__).parents[1]
    sources = (path for folder in ("imago", "stages", "app") for path in (root / folder).rglob("*"))
    known = {
        path.relative_to(root).as_posix()
        for path in sources
        if path.suffix == ".py" and library in path.read_text("utf-8")
    }
    assert known - {"imago/reports/snippets.py"} == {module}


def test_the_formats_that_there_are():
    assert list(FORMATS) == ["litert", "litert_fp16", "litert_int8", "onnx", "saved_model"]
    assert len({exported.FILE_NAME for exported in FORMATS.values()}) == len(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_only_formats_with_rounded_weights_are_not_exact(name):
    assert (name not in ("litert_fp16", "litert_int8")) == FORMATS[name].EXACT


@pytest.mark.slow
def test_another_process_writes_equal_bytes(source, images, written, tmp_path):
    found = written_by_a_process(source, images, tmp_path)
    assert {"model.tflite", "model.onnx"} <= found.keys()
    for name, content in found.items():
        # A SavedModel counts the functions that the process has made before.
        assert content == (written / name).read_bytes() or name.startswith("saved_model/")


@pytest.mark.slow
def test_two_processes_write_equal_bytes(source, images, tmp_path):
    first, second = (written_by_a_process(source, images, tmp_path / n) for n in ("1", "2"))
    assert first == second
    assert "saved_model/saved_model.pb" in first


def written_by_a_process(source, images, folder):
    """The files of all formats, as another process writes them."""
    (folder / "exports").mkdir(parents=True)
    source.model.save(folder / "model.keras")
    np.save(folder / "images.npy", images)
    paths = [str(folder / name) for name in ("model.keras", "images.npy", "exports")]
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", WRITE, *paths], cwd=root, check=True)
    return contents(folder / "exports")


def test_a_saved_model_holds_no_identity_of_its_making(written):
    content = (written / "saved_model/fingerprint.pb").read_bytes()
    assert not fingerprint_pb2.FingerprintDef.FromString(content).uuid


def test_onnx_files_name_their_input_and_output_and_hold_the_description(written):
    session = onnxruntime.InferenceSession(written / "model.onnx")
    (given,), (result,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("pixels", "tensor(uint8)", ["N", 6, 5, 3])
    assert (result.name, result.type, result.shape) == ("probabilities", "tensor(float)", ["N", 4])
    held = session.get_modelmeta().custom_metadata_map
    assert held == {
        "experiment": '"some"',
        "classes": '["a", "b", "ç", "d"]',
        "input": '{"name": "pixels"}',
        "output": '{"name": "probabilities"}',
    }


def test_onnx_files_hold_no_names_of_their_making(written):
    graph = onnx.load(written / "model.onnx").graph
    weights = [weight.name for weight in graph.initializer]
    assert weights == [f"weight_{index}" for index in range(len(weights))]
    assert [node.name for node in graph.node] == [
        f"{node.op_type}_{index}" for index, node in enumerate(graph.node)
    ]


def test_int8_computes_in_whole_numbers(written):
    exported = FORMATS["litert_int8"]
    found = exported.load(written / exported.FILE_NAME, 1)(np.zeros((3, 6, 5, 3), np.uint8))
    np.testing.assert_array_equal(found * 256, np.round(found * 256))
