"""Score an experiment's model on the test split, which no other stage may learn from.

The model is run by LiteRT, in which it is saved beside Keras' own file; of many images on a GPU, by
Keras.

Reads   models/<experiment>, data/<pixels>, params.yaml
Writes  metrics/<experiment>.json, predictions/<experiment>.parquet, and in reports/<experiment>
        per_class.csv, confusion.csv, reliability.csv, roc.csv, classification_report.txt
"""

import logging
from pathlib import Path

import numpy as np

from imago import params
from imago.core import files, paths, progress, stage
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data import arrays, index
from imago.runtimes import trained
from imago.scoring import calibration, metric, predictions, roc, summary, tables
from imago.scoring.metric import Evaluation

CLASSES_SHOWN = 20
"""Of each of two lists, in a message."""

log = logging.getLogger("imago.stages.evaluate")


def main(experiment: str) -> None:
    """Predict every test image once, and write the metrics and the tables."""
    chosen = params.pick(params.load().experiments, "experiment", experiment)
    data, model_folder = paths.data(chosen.pixels), paths.model(experiment)
    info = arrays.read_info(data)
    tested = info.splits["test"].examples if "test" in info.splits else 0
    model, classes = trained.read(model_folder, info.image_shape or (), tested), info.classes
    if classes != model.classes:
        message = (
            f"{data}: the classes must be those that {model_folder} was trained on, "
            f"{listed(model.classes, CLASSES_SHOWN)}, got {listed(classes, CLASSES_SHOWN)}; "
            "run the stage that trains it"
        )
        raise DataError(message)

    arrays.verify(data, "test")
    test = arrays.read_split(data, "test")
    with progress.bar("evaluate", len(test.labels), "images") as advance:
        outputs = model.runtime.outputs(test.images, advance, model.elsewhere)
        probabilities = np.concatenate(list(outputs))

    identities = arrays.read_identities(data, "test")
    photos = [row["path"] for row in index.rows(data, "test")]
    found = predictions.make(test.labels, probabilities, classes, identities, photos)
    metrics = summary.compute(Evaluation(found, model.parameters))
    summary.write(paths.metrics(experiment), metrics)
    predictions.write(paths.predictions(experiment), found)
    _write_tables(paths.report(experiment), test.labels, probabilities, classes)
    leading = metric.leading(metrics)
    log.info(
        "%s: %s %.2f %% (95 %% interval %.2f to %.2f) on %s test images",
        *(experiment, leading.title.lower()),
        *(100 * value for value in (metrics[leading.name], *metric.interval(leading, metrics))),
        f"{metrics['examples']:,}",
    )


def _write_tables(
    folder: Path, labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]
) -> None:
    written = {
        "per_class": tables.per_class(labels, probabilities, classes),
        "confusion": tables.confusion(labels, probabilities, classes),
        "reliability": calibration.reliability(labels, probabilities),
        "roc": roc.curves(labels, probabilities, classes),
    }
    for name, table in written.items():
        files.write_csv(folder / f"{name}.csv", table)
    with files.replacing(folder / "classification_report.txt") as temporary:
        temporary.write_text(tables.report(labels, probabilities, classes), "utf-8")


if __name__ == "__main__":
    stage.run(main, __doc__)
