"""LiteRT, in whole numbers of 8 bits from the first layer to the last."""

from pathlib import Path

from imago.exports.source import Source
from imago.runtimes import litert
from imago.runtimes.calls import Call

FILE_NAME = "model_int8.tflite"
EXACT = False


def write(source: Source, path: Path) -> None:
    """Write a model as a file, calibrated by the source's images."""
    module = source.without_distance().module()  # which would be too coarse
    function = module.serve.get_concrete_function()
    path.write_bytes(litert.convert(module, function, "int8", source.calibration))


def load(path: Path, threads: int | None = None) -> Call:
    """Load a model."""
    return litert.load(path.read_bytes(), threads)
