"""The formats that a model is exported to.

Every format takes raw pixels, (N, H, W, C) uint8, 0-255, of any N, and gives probabilities, (N, K)
float32. Equal models give equal bytes.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from imago.exports import lite, onnx_graph, saved_model
from imago.exports.source import Source
from imago.runtimes import litert, onnx_model
from imago.runtimes.inference import Call


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        file_name: Of the file or folder under exports/<experiment>.
        exact: Whether it computes what Keras computes, to rounding; else its weights are rounded.
        write: Writes a model to a path.
        load: Loads what stands at a path in the format's own runtime, for a number of threads.
    """

    file_name: str
    exact: bool
    write: Callable[[Source, Path], None]
    load: Callable[[Path, int | None], Call]

    def bytes_at(self, path: Path) -> int:
        """Return the bytes of what was written to a path, in all files."""
        return sum(p.stat().st_size for p in (path, *path.rglob("*")) if p.is_file())


def _load_litert(path: Path, threads: int | None) -> Call:
    return litert.load(path.read_bytes(), threads)


def _load_onnx(path: Path, threads: int | None) -> Call:
    return onnx_model.load(path.read_bytes(), threads)


def _lite(precision: lite.Precision) -> Callable[[Source, Path], None]:
    return functools.partial(lite.write, precision=precision)


FORMATS = {
    "saved_model": Format("saved_model", True, saved_model.write, saved_model.load),
    "litert": Format("model.tflite", True, _lite("float32"), _load_litert),
    "litert_fp16": Format("model_fp16.tflite", False, _lite("float16"), _load_litert),
    "litert_int8": Format("model_int8.tflite", False, _lite("int8"), _load_litert),
    "onnx": Format("model.onnx", True, onnx_graph.write, _load_onnx),
}
"""By the names that params.yaml gives them."""
