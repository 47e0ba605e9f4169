"""An exported model that anyone can compute: the share of red, green and blue in an image."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = ("red", "green", "blue")


def write(folder: Path, side_px: int = 4, **described: Any) -> Path:
    """Write an ONNX model for RGB images, and its model.json; give the folder.

    The probability of a class is the mean of its channel over the sum of all three.
    """
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers", "places"], ["means"], keepdims=0),
        helper.make_node("ReduceSum", ["means", "channels"], ["sums"], keepdims=1),
        helper.make_node("Div", ["means", "sums"], ["probabilities"]),
    ]
    axes = {"places": [1, 2], "channels": [1]}
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", side_px, side_px, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.array(v, np.int64), name) for name, v in axes.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    wanted = {
        "name": "pixels",
        "shape": [None, side_px, side_px, 3],
        "dtype": "uint8",
        "range": [0, 255],
        "color": "rgb",
        "fit": "stretch",
        "interpolation": "area",
        "framing": None,
    }
    description = {
        "experiment": folder.name,
        "classes": CLASSES,
        "input": wanted | described,
        "output": {"name": "probabilities", "shape": [None, len(CLASSES)], "dtype": "float32"},
        "formats": {"onnx": {"file": "model.onnx"}},
    }
    (folder / "model.json").write_text(json.dumps(description), "utf-8")
    return folder
