"""Train an experiment's model on the training split of its input.

Reads   data/<input>, data/<pixels>, params.yaml
Writes  models/<experiment>, reports/<experiment>/history.csv

With IMAGO_TENSORBOARD=1 in the environment it also writes event files for TensorBoard, under
.imago/tensorboard.
"""

import dataclasses

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
from imago import history, models, params
from imago.core import files, paths, registry, sections, stage
from imago.data import arrays
from imago.runtimes import determinism, saving
from imago.training import phases


def main(experiment: str) -> None:
    """Train, going on from where an earlier run of the same training was stopped.

    A head learns on features first; then it is put onto its backbone, and where params.yaml says
    so the end of the backbone learns with it in a second phase.
    """
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    training, data = chosen.train, paths.data(chosen.input)
    info = arrays.read_info(data)

    determinism.enable(settings.seed)
    architecture = registry.load(models, training.model)
    model = architecture.build(training, info.image_shape, len(info.classes), info.statistics)
    augment = training.augment if isinstance(training, sections.TrainOnPixels) else None
    first = phases.Phase(
        experiment=experiment,
        seed=settings.seed,
        training=training,
        fitted_by=training,
        folder=data,
        augment=augment,
    )
    done, epochs = [first], phases.run(model, first)
    if isinstance(training, sections.TrainOnFeatures):
        backbone = saving.read_model(data / "backbone.keras")
        if training.fine_tune:
            architecture.unfreeze(backbone, training.fine_tune.layers)
        model = architecture.complete(backbone, model)
        if training.fine_tune:
            second = dataclasses.replace(
                first,
                fitted_by=training.fine_tune,
                folder=paths.data(chosen.pixels),
                augment=training.fine_tune.augment,
                after=first,
            )
            done, epochs = [first, second], epochs + phases.run(model, second)

    saving.write(paths.model(experiment), model, info.classes)
    files.write_csv(paths.report(experiment) / "history.csv", history.table(epochs))
    phases.forget(done)


if __name__ == "__main__":
    stage.run(main, __doc__)
