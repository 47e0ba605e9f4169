"""Accuracy on the test split over several seeds: python -m bench.seeds EXPERIMENT [SEED ...].

One seed's accuracy is partly luck; this prints that of each seed and their mean. It needs the
experiment's prepared data (dvc repro prepare@<variant>), whose validation split stays as it is.
"""

import argparse
import importlib
import statistics

from imago import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
from imago import arrays, determinism, optimizers, params, paths, scores, training
from imago.training import State


class NoCheckpoint:
    """Keeps nothing: a measurement starts anew."""

    def restore(self, model: object) -> State:
        """Give the state of a training that has not begun."""
        return State()

    def save(self, model: object, state: State) -> None:
        """Keep nothing."""


def accuracy(experiment: str, seed: int) -> float:
    """Train with `seed` and give the accuracy on the test split, 0..1."""
    chosen = params.pick(params.load().experiments, "experiment", experiment)
    recipe, data = chosen.train, paths.data(chosen.input)
    info, train = arrays.read_info(data), arrays.read_split(data, "train")
    test = arrays.read_split(data, "test")
    determinism.enable(seed)
    architecture = importlib.import_module(f"imago.models.{recipe.model}")
    model = architecture.build(recipe, info.image_shape, len(info.classes), info.statistics)
    steps = training.steps_per_epoch(len(train.labels), recipe.batch_size)
    model.compile(optimizers.build(recipe, steps))
    training.fit(
        model,
        train,
        None,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=seed,
        jit_compile=recipe.jit_compile,
        checkpoint=NoCheckpoint(),
    )
    probabilities = model.predict(test.images, batch_size=1000, verbose=0)
    return float(scores.summary(test.labels, probabilities)["accuracy"])


def main() -> None:
    """Print a line for each seed, then mean, lowest and highest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3, 4, 5])
    arguments = parser.parse_args()
    found = []
    for seed in arguments.seeds:
        found.append(accuracy(arguments.experiment, seed))
        print(f"{arguments.experiment} seed {seed}: {found[-1]:.4f}", flush=True)
    mean = statistics.mean(found)
    print(f"{arguments.experiment} mean {mean:.4f}, from {min(found):.4f} to {max(found):.4f}")


if __name__ == "__main__":
    main()
