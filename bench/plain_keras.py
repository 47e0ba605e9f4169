"""A usual training script, for comparison with `python -m stages.train`.

    python -m bench.plain_keras mnist_adam model.keras

Reads the arrays, trains the experiment's layers with `model.fit`, saves the model.
"""

import importlib
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from imago import params
from imago.data.arrays import Statistics
from imago.training import optimizers


def main(experiment: str, target: str) -> None:
    """Train and save."""
    settings = params.load()
    chosen = settings.experiments[experiment]
    training, data = chosen.train, f"data/{chosen.input}"
    images, labels = np.load(f"{data}/train/images.npy"), np.load(f"{data}/train/labels.npy")
    validation = None
    if settings.prepare[chosen.variant].validation_fraction:
        validation = (
            np.load(f"{data}/validation/images.npy"),
            np.load(f"{data}/validation/labels.npy"),
        )
    statistics = Statistics([], [])
    if training.normalization == "standardize":
        pixels = images.reshape(-1, images.shape[-1])
        statistics = Statistics(pixels.mean(axis=0).tolist(), pixels.var(axis=0).tolist())

    keras.utils.set_random_seed(settings.seed)
    architecture = importlib.import_module(f"imago.models.{training.model}")
    model = architecture.build(training, images.shape[1:], int(labels.max()) + 1, statistics)
    model.compile(
        optimizers.build(training, -(-len(labels) // training.batch_size)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        images,
        labels,
        batch_size=training.batch_size,
        epochs=training.epochs,
        validation_data=validation,
        verbose=2,
    )
    model.save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
