"""Train an experiment's model on the training split of its input.

Reads   data/<input>, data/<pixels>, params.yaml
Writes  models/<experiment>, reports/<experiment>/history.csv

With IMAGO_TENSORBOARD=1 in the environment it also writes event files for TensorBoard, under
.imago/tensorboard.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
from imago import history, models, params
from imago.core import cluster, files, paths, registry, sections, stage
from imago.core.errors import DataError, ExtensionError
from imago.data import arrays, index
from imago.runtimes import determinism, frozen, saving
from imago.runtimes.certainty import Certainty
from imago.training import certainty, devices, launch, out_of_fold, phases
from imago.training.certainty import Asked


def main(experiment: str) -> None:
    """Train, going on from where an earlier run of the same training was stopped.

    A head learns on features first; then it is put onto its backbone, and where params.yaml says
    so the end of the backbone learns with it in a second phase. Of several processes that train
    together the chief alone writes.
    """
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    if (count := launch.processes()) > 1:
        launch.train(experiment, count)
        return
    training, data = chosen.train, paths.data(chosen.input)
    info = arrays.read_info(data)

    _check_certainty(training, data, info)
    determinism.enable(settings.seed)
    architecture = registry.load(models, training.model, "build")
    augment = training.augment if isinstance(training, sections.TrainOnPixels) else None
    first = phases.Phase(
        experiment=experiment,
        seed=settings.seed,
        training=training,
        fitted_by=training,
        folder=data,
        augment=augment,
    )
    fine_tune = training.fine_tune if isinstance(training, sections.TrainOnFeatures) else None
    build = functools.partial(
        architecture.build, training, info.image_shape, len(info.classes), info.statistics
    )
    with devices.strategy().scope():
        model = build()
        _check_shape(architecture, model, len(info.classes))
        done, epochs, measured = [first], phases.run(model, first), model
        if isinstance(training, sections.TrainOnFeatures):
            backbone = saving.read_model(data / frozen.COPY)
            if fine_tune:
                architecture.unfreeze(backbone, fine_tune.layers)
            model = architecture.complete(backbone, model)
        if fine_tune:
            second = dataclasses.replace(
                first,
                fitted_by=fine_tune,
                folder=paths.data(chosen.pixels),
                augment=fine_tune.augment,
                after=first,
            )
            done, epochs, measured = [first, second], epochs + phases.run(model, second), model
    if not cluster.member().is_chief:
        return

    known = _known(measured, done[-1], build, paths.data(chosen.pixels))
    saving.write(paths.model(experiment), model, info.classes, known)
    files.write_csv(paths.report(experiment) / "history.csv", history.table(epochs))
    phases.forget(done)


def _check_shape(architecture: ModuleType, model: Any, class_count: int) -> None:
    """Raise ExtensionError, before a long training, where a model has not an output a class."""
    if (shape := model.output_shape) != (None, class_count):
        message = (
            f"{registry.file(architecture)}: build must give a model with the output "
            f"(None, {class_count}), one for each class, got {shape}"
        )
        raise ExtensionError(message)


def _check_certainty(training: sections.Train, data: Path, info: arrays.Info) -> None:
    """Raise DataError, before a long training, where nothing would tell how sure the model is."""
    asks = training.certainty
    if asks and not asks.folds and "validation" not in info.splits:
        message = (
            f"{data}: must have validation images for train.certainty, got none; hold some out, or "
            "set certainty.folds for a head alone"
        )
        raise DataError(message)


def _known(
    model: Any, phase: phases.Phase, build: Callable[[], Any], pixels: Path
) -> Certainty | None:
    """Find how far a model may be believed, where params.yaml asks for it."""
    training = phase.training
    if training.certainty is None:
        return None
    info, read = arrays.read_info(phase.folder), functools.partial(arrays.read_split, phase.folder)
    train = read("train")
    validation: arrays.Split | Asked
    if isinstance(training, sections.TrainOnFeatures) and training.certainty.folds:
        given = [row.get("group") or "" for row in index.rows(pixels, "train")]
        validation = out_of_fold.answers(build, training, train, info.views, given, phase.seed)
    else:
        validation = read("validation")
    return certainty.measure(model, train, info.views, validation, training.certainty, phase.seed)


if __name__ == "__main__":
    stage.run(main, __doc__)
