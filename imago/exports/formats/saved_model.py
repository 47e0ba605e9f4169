"""SavedModel, which TensorFlow itself runs, and TensorFlow Serving."""

import os
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

from imago.exports.source import DISTANCE, PIXELS, PROBABILITIES, Source
from imago.runtimes import quiet_tensorflow
from imago.runtimes.calls import Call, side_by_side

FILE_NAME = "saved_model"
EXACT = True
SIGNATURE = "serving_default"
NAMES = (PROBABILITIES, DISTANCE)


def write(source: Source, path: Path) -> None:
    """Write a model as a folder."""
    module = source.module()
    tf.saved_model.save(module, str(path), signatures={SIGNATURE: module.serve})
    fingerprint = path / "fingerprint.pb"
    content = fingerprint_pb2.FingerprintDef.FromString(fingerprint.read_bytes())
    content.ClearField("uuid")  # drawn anew at each call
    fingerprint.write_bytes(content.SerializeToString(deterministic=True))


def load(path: Path, threads: int | None = None) -> Call:
    """Load a model; see imago.exports.latency for when the number of threads counts."""
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads or os.cpu_count() or 1,
        inter_op_parallelism_threads=1,
        use_per_session_threads=True,
    )
    session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
    with session.graph.as_default(), quiet_tensorflow.without_advice():
        model = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
    signature = model.signature_def[SIGNATURE]
    outputs = [signature.outputs[name].name for name in NAMES if name in signature.outputs]
    call = session.make_callable(outputs, [signature.inputs[PIXELS].name])
    return lambda images: side_by_side(call(images))
