"""An exported model that anyone can compute: the share of red, green and blue in an image."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from imago.runtimes import model_json
from imago.runtimes.model_json import ExportDescription, digest

CLASSES = ("red", "green", "blue")


def write(folder: Path, side_px: int = 4, channels: int = 3, **described: Any) -> Path:
    """Write an ONNX model for images of RGB, or of fewer channels, and its model.json.

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
        [
            helper.make_tensor_value_info(
                "pixels", TensorProto.UINT8, ["N", side_px, side_px, channels]
            )
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", channels])],
        [numpy_helper.from_array(np.array(v, np.int64), name) for name, v in axes.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    wanted = {
        "name": "pixels",
        "shape": [None, side_px, side_px, channels],
        "dtype": "uint8",
        "range": [0, 255],
        "color": "rgb",
        "fit": "stretch",
        "interpolation": "area",
        "framing": None,
    }
    description = ExportDescription(
        experiment=folder.name,
        classes=CLASSES[:channels],
        input=wanted | described,
        output={"name": "probabilities", "shape": [None, channels], "dtype": "float32"},
        formats={"onnx": {"file": "model.onnx", "sha256": digest(folder / "model.onnx")}},
    )
    model_json.write(folder, description)
    return folder
