"""A folder with exported models, made by hand, for tests of the page and the endpoint."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from imago.data import writing
from imago.runtimes import model_json
from imago.runtimes.model_json import ExportDescription, digest
from tests import tiny_project

COLORS = ("blue", "green", "red")
RGB = {"blue": (20, 20, 230), "green": (20, 230, 20), "red": (230, 20, 20)}
SIDE_PX = 16


def create(folder: Path) -> None:
    """Write the models `cnn`, which tells colours apart, and `digits`, which knows no better."""
    channels = np.eye(3)[[2, 1, 0]]  # from (R, G, B) to the order of COLORS
    export(folder, "cnn", COLORS, 0.05 * channels)
    export(folder, "digits", tuple("0123456789"), 0.2 * np.linspace(-1, 1, 10)[np.newaxis])
    tiny_project.write_params(folder, tiny_project.with_cnn(tiny_project.settings_with_photos()))
    with writing.splits(folder / "data/prepared/photos16", COLORS, (SIDE_PX, SIDE_PX, 3)) as writer:
        labels = np.arange(6, dtype=np.int32) % 3
        images = np.zeros((6, SIDE_PX, SIDE_PX, 3), np.uint8)
        images += np.array([RGB[COLORS[label]] for label in labels], np.uint8)[:, None, None]
        writer.add("test", labels, [images])
    for path, text in {
        "metrics/cnn.json": json.dumps({"accuracy": 0.975, "examples": 1234}),
        "reports/cnn/reliability.csv": "confidence_above,confidence_to,examples,accuracy\n"
        "0.0,0.9,10,0.5\n0.9,1.0,200,0.96\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def export(folder: Path, name: str, classes: Sequence[str], weights: NDArray[np.floating]) -> None:
    """Write a model: the softmax of `weights`, (C, K), applied to the mean of each channel."""
    path = folder / "exports" / name
    path.mkdir(parents=True, exist_ok=True)
    shape = [SIDE_PX, SIDE_PX, len(weights)]
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    constants = {"axes": np.array([1, 2]), "weights": weights.astype(np.float32)}
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", *shape])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(classes)])],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path / "model.onnx")
    described = ExportDescription(
        experiment=name,
        classes=tuple(classes),
        input={
            "shape": [None, *shape],
            "fit": "stretch",
            "interpolation": "area",
            "framing": None,
        },
        output={"shape": [None, len(classes)]},
        formats={"onnx": {"file": "model.onnx", "sha256": digest(path / "model.onnx")}},
    )
    model_json.write(path, described)
