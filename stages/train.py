"""Train an experiment's model on the training split of its variant.

Reads   data/<input>, params.yaml
Writes  models/<experiment>, reports/<experiment>/history.csv

With IMAGO_TENSORBOARD=1 in the environment it also writes event files for TensorBoard, under
.imago/tensorboard.
"""

import importlib
import os

from imago import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
from imago import (
    arrays,
    callbacks,
    command,
    determinism,
    files,
    history,
    optimizers,
    params,
    paths,
    saving,
    training,
)
from imago.checkpoints import FileCheckpoint, key


def main(experiment: str) -> None:
    """Train, going on from where an earlier run of the same training was stopped."""
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    recipe, data = chosen.train, paths.data(chosen.input)
    info = arrays.read_info(data)
    train = arrays.read_split(data, "train")
    validation = arrays.read_split(data, "validation") if "validation" in info.splits else None

    determinism.enable(settings.seed)
    architecture = importlib.import_module(f"imago.models.{recipe.model}")
    model = architecture.build(recipe, info.image_shape, len(info.classes), info.statistics)
    steps = training.steps_per_epoch(len(train.labels), recipe.batch_size)
    model.compile(optimizers.build(recipe, steps))
    run = key(recipe.model_dump(mode="json"), settings.seed, info.digest)
    checkpoint = FileCheckpoint(paths.training_state(experiment, run))
    stopping = recipe.early_stopping
    tensorboard = (
        paths.tensorboard(experiment) / run if os.getenv("IMAGO_TENSORBOARD") == "1" else None
    )
    plan = training.Plan(
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=settings.seed,
        jit_compile=recipe.jit_compile,
        keep_best=callbacks.log_name(stopping.monitor) if stopping else None,
    )
    listeners = callbacks.build(recipe, tensorboard)
    epochs = training.fit(model, train, validation, plan, checkpoint, listeners)

    saving.write(paths.model(experiment), model, info.classes)
    files.write_csv(paths.report(experiment) / "history.csv", history.table(epochs))
    checkpoint.remove()


if __name__ == "__main__":
    command.run(main, __doc__)
