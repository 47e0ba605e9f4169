"""Trained models in formats that run without Keras.

Every format takes raw pixels, (N, H, W, C) uint8, 0-255, and gives probabilities, (N, K) float32.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

from imago import conversion, inference, litert

FILE_NAMES = {"litert": "model.tflite", "saved_model": "saved_model"}
"""Under exports/<experiment>, for each format."""


def write(model: keras.Model, format_name: str, path: Path) -> None:
    """Write a model in a format of FILE_NAMES; equal models give equal bytes."""
    {"litert": _write_litert, "saved_model": _write_saved_model}[format_name](model, path)


def read(format_name: str, path: Path) -> inference.Call:
    """Load what `write` wrote in the format's own runtime, as a function of pixels."""
    return {"litert": _read_litert, "saved_model": _read_saved_model}[format_name](path)


def agreement(expected: np.ndarray, found: np.ndarray) -> dict[str, float | int]:
    """Compare two runtimes' probabilities, (N, K), for the same images.

    Returns:
        examples, N; greatest_difference of any probability; same_class, the share of the images
        that both give the same class.
    """
    return {
        "examples": len(expected),
        "greatest_difference": float(np.abs(expected - found).max()),
        "same_class": float((expected.argmax(axis=1) == found.argmax(axis=1)).mean()),
    }


def describe(model: keras.Model, classes: Sequence[str]) -> dict[str, Any]:
    """Say what every format takes and gives, and the class names in the order of the output."""
    return {
        "classes": list(classes),
        "input": {
            "name": "pixels",
            "shape": [None, *model.input_shape[1:]],
            "dtype": "uint8",
            "range": [0, 255],
        },
        "output": {"name": "probabilities", "shape": [None, len(classes)], "dtype": "float32"},
    }


def _serving(model: keras.Model) -> tf.Module:
    """Wrap a model as a module with one function, `serve`, from pixels to probabilities."""
    module = tf.Module(name="imago")
    # Keras' own export lists the variables in the order of a set, so its bytes vary. The weights
    # are all that serving needs: the states of random generators are drawn anew at each load.
    module.kept = [weight.value for weight in model.weights]
    module.serve = tf.function(
        lambda pixels: {"probabilities": model(pixels, training=False)},
        input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name="pixels")],
        autograph=False,
    )
    return module


def _write_saved_model(model: keras.Model, path: Path) -> None:
    module = _serving(model)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    fingerprint = path / "fingerprint.pb"
    content = fingerprint_pb2.FingerprintDef.FromString(fingerprint.read_bytes())
    content.ClearField("uuid")  # drawn anew at each call
    fingerprint.write_bytes(content.SerializeToString(deterministic=True))


def _read_saved_model(path: Path) -> inference.Call:
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda pixels: serve(pixels=tf.constant(pixels))["probabilities"].numpy()


def _write_litert(model: keras.Model, path: Path) -> None:
    module = _serving(model)
    path.write_bytes(conversion.convert(module, module.serve.get_concrete_function()))


def _read_litert(path: Path) -> inference.Call:
    return litert.load(path.read_bytes())
