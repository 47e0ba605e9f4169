"""TensorFlow to ONNX: the one module that knows the converter.

tf2onnx has no maintainer, so another can take its place here: all that is asked of it is a model of
one input and one output that computes the same. What order and names it gives to its nodes is of no
consequence, see imago.exports.canonical_onnx.
"""

import logging
from typing import Any

import onnx
import tf2onnx
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from imago.runtimes import quiet_tensorflow

OPSET = 18


def convert(function: Any) -> onnx.ModelProto:
    """Convert a concrete function of TensorFlow, from pixels to probabilities."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    # tf2onnx's own way from a function takes constants that it captured for further inputs.
    frozen = convert_variables_to_constants_v2(function)
    with quiet_tensorflow.without_advice():
        model: onnx.ModelProto
        model, _ = tf2onnx.convert.from_graph_def(
            frozen.graph.as_graph_def(add_shapes=True),
            input_names=[tensor.name for tensor in frozen.inputs],
            output_names=[tensor.name for tensor in frozen.outputs],
            opset=OPSET,
        )
    return model
