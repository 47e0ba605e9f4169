"""Export an experiment's model to the formats that params.yaml names.

Every format is run on the test split by its own runtime, and compared with Keras. How long an image
takes varies from run to run, so it is printed and kept in .imago/latency, out of what DVC hashes.

Reads   models/<experiment>, data/<pixels>, params.yaml
Writes  exports/<experiment>, .imago/latency/<experiment>.json
"""

import dataclasses
import logging
from pathlib import Path
from typing import Any

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import files, paths, stage
from imago.core.sections import Export
from imago.data import arrays, provenance
from imago.exports import agreement, description, latency, saved_model
from imago.exports.formats import FORMATS, Format
from imago.exports.source import Source
from imago.runtimes import determinism, inference, saving

log = logging.getLogger("imago.stages.export")


def main(experiment: str) -> None:
    """Write each format, compare it with Keras, and describe what it takes and gives."""
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    saved_model.let_sessions_choose_threads()
    determinism.enable()
    data = paths.data(chosen.pixels)
    test = arrays.read_split(data, "test")
    model, classes = saving.read(paths.model(experiment))
    source = _source(experiment, model, classes, data, chosen.export, settings.seed)

    def probabilities(call: inference.Call) -> NDArray[np.float32]:
        batches = inference.in_batches(call, test.images, chosen.evaluate.batch_size)
        return np.concatenate(list(batches))  # (N, K)

    keras_itself = inference.Runtime.tensorflow(model).call  # as `predict`, and sooner ready
    expected = probabilities(keras_itself)
    accuracy_of_keras = agreement.accuracy(test.labels, expected)

    said: dict[str, dict[str, Any]] = {}
    latencies: dict[str, dict[str, Any]] = {}
    with files.replacing(paths.export(experiment)) as folder:
        folder.mkdir()
        for name in chosen.export.formats:
            exported = FORMATS[name]
            path = folder / exported.file_name
            exported.write(source, path)
            found = probabilities(exported.load(path, None))
            compared = agreement.compare(test.labels, expected, found)
            agreement.check(name, exported.exact, compared, accuracy_of_keras, chosen.export)
            of_file = {"file": exported.file_name, "bytes": exported.bytes_at(path)}
            said[name] = of_file | dataclasses.asdict(compared)
            latencies[name] = _latencies(exported, path, np.ascontiguousarray(test.images[:1]))
        files.write_json(folder / "model.json", {**source.description, "formats": said})
    files.write_json(paths.latency(experiment), latencies)
    log.info("%s", latency.table(said, latencies))


def _source(
    experiment: str,
    model: Any,
    classes: tuple[str, ...],
    data: Path,
    settings: Export,
    seed: int,
) -> Source:
    training_images = arrays.read_split(data, "train").images
    drawn = np.random.default_rng(seed).permutation(len(training_images))
    calibration = training_images[np.sort(drawn[: settings.calibration_images])]
    variant = provenance.read(data)["prepare"]
    described = description.describe(experiment, classes, variant, training_images)
    return Source(model, described, calibration)


def _latencies(exported: Format, path: Path, image: NDArray[np.uint8]) -> dict[str, Any]:
    return {str(n): latency.measure(exported.load(path, n), image) for n in latency.THREADS}


if __name__ == "__main__":
    stage.run(main, __doc__)
