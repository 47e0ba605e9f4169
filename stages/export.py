"""Export an experiment's model to the formats that params.yaml names.

Every format is run on the test split by its own runtime, and compared with Keras. How long an image
takes varies from run to run, so it is printed and kept in .imago/latency, out of what DVC hashes.

Reads   models/<experiment>, data/<pixels>, params.yaml
Writes  exports/<experiment>, .imago/latency/<experiment>.json
"""

import dataclasses
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import files, paths, registry, stage
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.core.sections import Export
from imago.data import arrays, provenance
from imago.exports import agreement, formats, latency, source, unsure
from imago.runtimes import (
    calls,
    certainty,
    determinism,
    inference,
    litert,
    model_json,
    onnx_model,
    saving,
)
from imago.runtimes.certainty import Certainty

CLASSES_SHOWN = 20
"""Of each of two lists, in a message."""

PARTS = ("FILE_NAME", "EXACT", "write", "load")
"""Of a format, see imago.exports.formats."""

log = logging.getLogger("imago.stages.export")

RUNTIMES = {".tflite": litert.load, ".onnx": onnx_model.load}
"""What runs a format without TensorFlow, by how the name of its file ends."""


def main(experiment: str) -> None:
    """Write each format, compare it with Keras, and describe what it takes and gives."""
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    wanted = settings.exports[chosen.export]
    latency.let_sessions_choose_threads()
    determinism.enable()
    data = paths.data(chosen.pixels)
    arrays.verify(data, "test", "train")
    test = arrays.read_split(data, "test")
    model, classes = saving.read(paths.model(experiment))
    _check_fits(paths.model(experiment), data, model, classes)
    known = _known(paths.model(experiment), wanted)
    if known and known.neighbors is not None:
        model = certainty.with_distance(model, known.neighbors)
    made_from = _source(experiment, model, classes, data, wanted, settings.seed)

    keras_itself = inference.Runtime.tensorflow(made_from.model).call
    expected = calls.apart(calls.probabilities(keras_itself, test.images), len(classes))
    with files.replacing(paths.export(experiment)) as folder:
        folder.mkdir()
        said = {
            name: _export(name, folder, made_from, test, expected, wanted)
            for name in wanted.formats
        }
        latencies = {name: _latencies(name, folder, test.images[:1]) for name in wanted.formats}
        described = dataclasses.replace(made_from.description, formats=said)
        if known and wanted.unsure:
            answers = certainty.answers(test.labels, *expected)
            limits = unsure.choose(known.validation, wanted.unsure)
            told = unsure.told(limits, wanted.unsure, known.validation, answers)
            log.info("%s", unsure.summary(told))
            described = dataclasses.replace(described, unsure=told)
        model_json.write(folder, described)
    files.write_json(paths.latency(experiment), latencies)
    log.info("%s", latency.table(said, latencies))


def _check_fits(folder: Path, data: Path, model: Any, classes: tuple[str, ...]) -> None:
    """Raise DataError where a model is not of the data, whose classes it would be told to know."""
    info = arrays.read_info(data)
    for what, found, wanted in (
        ("classes", *(listed(names, CLASSES_SHOWN) for names in (classes, info.classes))),
        ("pixels", model.input_shape[1:], info.image_shape),
    ):
        if found != wanted:
            message = (
                f"{folder}: its {what} must be those of {data}, {wanted}, got {found}; "
                "run the stage that trains it"
            )
            raise DataError(message)


def _known(folder: Path, wanted: Export) -> Certainty | None:
    """Read how far a model may be believed, where params.yaml says when it is unsure."""
    if wanted.unsure is None:
        return None
    return certainty.read(folder, model_json.read_trained(folder), wanted.unsure.unlike is not None)


def _source(
    experiment: str,
    model: Any,
    classes: tuple[str, ...],
    data: Path,
    settings: Export,
    seed: int,
) -> source.Source:
    training_images = arrays.read_split(data, "train").images
    drawn = np.random.default_rng(seed).permutation(len(training_images))
    calibration = training_images[np.sort(drawn[: settings.calibration_images])]
    variant = provenance.read(data)["prepare"]
    described = source.describe(experiment, classes, variant, training_images)
    return source.Source(model, described, calibration)


def _export(
    name: str,
    folder: Path,
    made_from: source.Source,
    test: arrays.Split,
    expected: calls.Outputs,
    wanted: Export,
) -> dict[str, Any]:
    """Write a format, hold what it gives against what Keras gives, and say what model.json says."""
    exported = registry.load(formats, name, *PARTS)
    path = folder / exported.FILE_NAME
    exported.write(made_from, path)
    sha256 = model_json.digest(path)
    outputs = calls.probabilities(
        exported.load(path, None), test.images, elsewhere=_elsewhere(path, sha256)
    )
    found = calls.apart(outputs, len(made_from.description.classes))
    compared = agreement.compare(test.labels, expected.probabilities, found.probabilities)
    accuracy_of_keras = agreement.accuracy(test.labels, expected.probabilities)
    agreement.check(name, exported.EXACT, compared, accuracy_of_keras, wanted)
    said = {"file": path.name, "bytes": files.byte_count(path), "sha256": sha256}
    if found.distance is not None:
        said["outputs"] = [source.PROBABILITIES, source.DISTANCE]
        if exported.EXACT and expected.distance is not None:
            agreement.check_distance(name, expected.distance, found.distance, wanted)
    return said | dataclasses.asdict(compared)


def _elsewhere(path: Path, sha256: str) -> calls.Elsewhere | None:
    """Return a format for a cluster; none of TensorFlow's, whose sums vary with the threads."""
    load = RUNTIMES.get(path.suffix)
    return load and calls.Elsewhere(functools.partial(_load, load, path.absolute()), sha256)


def _load(load: Callable[[bytes, int], calls.Call], path: Path) -> tuple[calls.Call, int]:
    return load(path.read_bytes(), 1), calls.IMAGES_PER_THREAD


def _latencies(name: str, folder: Path, image: NDArray[np.uint8]) -> dict[str, Any]:
    exported, image = registry.load(formats, name, *PARTS), np.ascontiguousarray(image)
    path = folder / exported.FILE_NAME
    return {str(n): latency.measure(exported.load(path, n), image) for n in latency.THREADS}


if __name__ == "__main__":
    stage.run(main, __doc__)
