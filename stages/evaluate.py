"""Score an experiment's model on the test split, which no other stage may learn from.

The model is run by LiteRT, in which it is saved beside Keras' own file.

Reads   models/<experiment>, data/<pixels>, params.yaml
Writes  metrics/<experiment>.json, predictions/<experiment>.csv,
        reports/<experiment>/per_class.csv, reports/<experiment>/confusion.csv
"""

import logging

import numpy as np

from imago import arrays, command, files, inference, params, paths, progress, scores, trained

log = logging.getLogger("imago.stages.evaluate")


def main(experiment: str) -> None:
    """Predict every test image once, and write the figures and the tables."""
    chosen = params.pick(params.load().experiments, "experiment", experiment)
    test = arrays.read_split(paths.data(chosen.pixels), "test")
    model = trained.read(paths.model(experiment))

    with progress.bar("evaluate", len(test.labels), "images") as advance:
        batch_size = chosen.evaluate.batch_size
        batches = list(inference.in_batches(model.call, test.images, batch_size, advance))
    probabilities = np.concatenate(batches)  # (N, K) float32

    labels, classes = test.labels, model.classes
    summary = scores.summary(labels, probabilities)
    report = paths.report(experiment)
    files.write_json(paths.metrics(experiment), summary)
    identities = arrays.read_identities(paths.data(chosen.pixels), "test")
    predictions = scores.per_example(labels, probabilities, classes, identities)
    files.write_csv(paths.predictions(experiment), predictions)
    files.write_csv(report / "per_class.csv", scores.per_class(labels, probabilities, classes))
    files.write_csv(report / "confusion.csv", scores.confusion(labels, probabilities, classes))
    log.info(
        "%s: accuracy %.2f %% (95 %% interval %.2f to %.2f) on %s test images",
        experiment,
        *(100 * summary[name] for name in ("accuracy", "accuracy_low", "accuracy_high")),
        f"{summary['examples']:,}",
    )


if __name__ == "__main__":
    command.run(main, __doc__)
