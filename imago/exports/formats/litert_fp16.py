"""LiteRT, with weights of 16 bits; it computes in 32."""

from pathlib import Path

from imago.exports.source import Source
from imago.runtimes import litert
from imago.runtimes.calls import Call

FILE_NAME = "model_fp16.tflite"
EXACT = False


def write(source: Source, path: Path) -> None:
    """Write a model as a file."""
    module = source.module()
    path.write_bytes(litert.convert(module, module.serve.get_concrete_function(), "float16"))


def load(path: Path, threads: int | None = None) -> Call:
    """Load a model."""
    return litert.load(path.read_bytes(), threads)
