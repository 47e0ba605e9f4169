"""ONNX, which ONNX Runtime and many others run, with the description in the file's metadata."""

import dataclasses
import json
from pathlib import Path

import onnx

from imago.exports import canonical_onnx, onnx_conversion
from imago.exports.source import Source
from imago.runtimes import onnx_model
from imago.runtimes.calls import Call

FILE_NAME = "model.onnx"
EXACT = True


def write(source: Source, path: Path) -> None:
    """Write a model as a file."""
    module = source.module()
    converted = onnx_conversion.convert(module.serve.get_concrete_function())
    model = canonical_onnx.canonical(converted)
    described = dataclasses.asdict(source.description)
    del described["formats"], described["unsure"]  # which are not known yet
    for key, value in described.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value, ensure_ascii=False)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def load(path: Path, threads: int | None = None) -> Call:
    """Load a model."""
    return onnx_model.load(path.read_bytes(), threads)
