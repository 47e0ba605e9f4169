"""ONNX: runs a model without TensorFlow."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as faults

from imago.runtimes.calls import Call, first_line, side_by_side

_FAULTS = (
    faults.Fail,
    faults.InvalidArgument,
    faults.InvalidGraph,
    faults.InvalidProtobuf,
    faults.NoSuchFile,
    faults.NotImplemented,
    faults.RuntimeException,
)


def load(content: bytes, threads: int | None = None) -> Call:
    """Load an ONNX model of one input, which may be called from many threads.

    Args:
        content: Of the file.
        threads: That a call works on. None: one for each core.

    Raises:
        ValueError: The content is not such a model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 4  # for errors are raised as well
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], enable_fallback=False
        )  # which would try the same again, and say so on standard output
        (pixels,), results = session.get_inputs(), session.get_outputs()
    except (ValueError, *_FAULTS) as error:
        message = f"must be a whole .onnx file of one input: {first_line(error)}"
        raise ValueError(message) from error

    names = [result.name for result in results]

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return side_by_side(session.run(names, {pixels.name: images}))

    return run
