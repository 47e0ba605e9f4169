"""Export an experiment's model to the formats that params.yaml names.

Every format is run on the images of the test split, without their labels, and must give the
probabilities that Keras gives.

Reads   models/<experiment>, data/<pixels>, params.yaml
Writes  exports/<experiment>
"""

import logging

from imago import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import numpy as np
from numpy.typing import NDArray

from imago import arrays, command, determinism, exports, files, inference, params, paths, saving
from imago.errors import ExportError

log = logging.getLogger("imago.stages.export")


def main(experiment: str) -> None:
    """Write each format, compare it with Keras, and describe what it takes and gives."""
    chosen = params.pick(params.load().experiments, "experiment", experiment)
    settings, batch_size = chosen.export, chosen.evaluate.batch_size
    determinism.enable()
    images = arrays.read_split(paths.data(chosen.pixels), "test").images
    model, classes = saving.read(paths.model(experiment))
    keras_itself = inference.Runtime.tensorflow(model).call  # as `predict`, and sooner ready
    expected = _all(keras_itself, images, batch_size)

    agreements = {}
    with files.replacing(paths.export(experiment)) as folder:
        folder.mkdir()
        for name in settings.formats:
            path = folder / exports.FILE_NAMES[name]
            exports.write(model, name, path)
            found = _all(exports.read(name, path), images, batch_size)
            agreements[name] = exports.agreement(expected, found)
            difference = agreements[name]["greatest_difference"]
            log.info(
                "%s: at most %.1e from Keras on %s images", name, difference, f"{len(images):,}"
            )
            if not difference <= settings.greatest_difference:
                message = (
                    f"{name}: the greatest difference from Keras' probabilities must be at most "
                    f"{settings.greatest_difference}, got {difference:.2e}"
                )
                raise ExportError(message)
        description = exports.describe(model, classes) | {"agreement_with_keras": agreements}
        files.write_json(folder / "model.json", description)


def _all(call: inference.Call, images: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
    """Give the probabilities of all images, (N, K)."""
    return np.concatenate(list(inference.in_batches(call, images, batch_size)))


if __name__ == "__main__":
    command.run(main, __doc__)
