"""Score an experiment's model on the test split, which no other stage may learn from.

Reads   models/<experiment>, data/<pixels>, params.yaml
Writes  metrics/<experiment>.json, predictions/<experiment>.csv,
        reports/<experiment>/per_class.csv, reports/<experiment>/confusion.csv
"""

import logging

from imago import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import numpy as np

from imago import (
    arrays,
    command,
    determinism,
    files,
    inference,
    params,
    paths,
    progress,
    saving,
    scores,
)

log = logging.getLogger("imago.stages.evaluate")


def main(experiment: str) -> None:
    """Predict every test image once, and write the figures and the tables."""
    chosen = params.pick(params.load().experiments, "experiment", experiment)
    determinism.enable()
    test = arrays.read_split(paths.data(chosen.pixels), "test")
    model, classes = saving.read(paths.model(experiment))

    call, batch_size = inference.Runtime.of(model).call, chosen.evaluate.batch_size
    with progress.bar("evaluate", len(test.labels), "images") as advance:
        batches = list(inference.in_batches(call, test.images, batch_size, advance))
    probabilities = np.concatenate(batches)  # (N, K) float32

    summary = scores.summary(test.labels, probabilities)
    report = paths.report(experiment)
    files.write_json(paths.metrics(experiment), summary)
    identities = arrays.read_identities(paths.data(chosen.pixels), "test")
    predictions = scores.per_example(test.labels, probabilities, classes, identities)
    files.write_csv(paths.predictions(experiment), predictions)
    files.write_csv(report / "per_class.csv", scores.per_class(test.labels, probabilities, classes))
    files.write_csv(report / "confusion.csv", scores.confusion(test.labels, probabilities, classes))
    log.info(
        "%s: accuracy %.2f %% (95 %% interval %.2f to %.2f) on %s test images",
        experiment,
        *(100 * summary[name] for name in ("accuracy", "accuracy_low", "accuracy_high")),
        f"{summary['examples']:,}",
    )


if __name__ == "__main__":
    command.run(main, __doc__)
