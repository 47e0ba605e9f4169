"""Draw an experiment's data, training, answers and mistakes.

A stage of its own, so that no training or scoring depends on how a figure looks.

Reads   predictions/<experiment>.csv, data/<pixels>, models/<experiment>, params.yaml,
        reports/<experiment>/: history.csv, confusion.csv, per_class.csv, reliability.csv
Writes  reports/<experiment>/figures
"""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago import params
from imago.core import files, paths, sections, stage
from imago.data import arrays
from imago.drawing import augmented, canvas, tiles
from imago.figures import activations, confusion, curves, per_class, reliability, samples
from imago.preparing import views
from imago.scoring import predictions
from imago.scoring.predictions import Predictions

EPOCHS_SHOWN = 3
"""Of an augmentation that is drawn anew in each."""
VIEWS_PX = 150_000
"""At most the area of originals and their views: 110 kB for photos."""


def main(experiment: str) -> None:
    """Draw every figure for which there is something to show."""
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    mpl.rcdefaults()  # so that nobody's matplotlibrc changes a figure
    with files.replacing(paths.figures(experiment)) as folder:
        folder.mkdir()
        for name, figure in _figures(experiment, chosen, settings.seed):
            canvas.write(folder / f"{name}.png", figure)


def _figures(experiment: str, chosen: params.Experiment, seed: int) -> Iterator[tuple[str, Figure]]:
    data = paths.data(chosen.pixels)
    classes = arrays.read_info(data).classes
    images = arrays.read_split(data, "test").images
    found = predictions.read(paths.predictions(experiment), classes)
    yield from _of_the_data(chosen, seed)
    yield from _of_the_tables(experiment, classes)
    yield "examples", tiles.examples(images, found)
    yield "mistakes", tiles.mistakes(images, found)
    yield "uncertain", tiles.uncertain(images, found)
    if chosen.train.convolutional:
        yield "activations", _activations(experiment, images, found)


def _of_the_data(chosen: params.Experiment, seed: int) -> Iterator[tuple[str, Figure]]:
    """Draw training images, and what augmentation makes of them where there is any."""
    data = paths.data(chosen.pixels)
    info, train = arrays.read_info(data), arrays.read_split(data, "train")
    step = 1 + info.views
    yield "samples", samples.samples(train.images[::step], train.labels[::step], info.classes)
    originals, copies, labels = views.sample(train, info.views, len(info.classes))
    changes = _augment(chosen.train)
    if not info.views and changes:
        copies = augmented.redrawn(originals, changes, EPOCHS_SHOWN, seed)
    if len(copies):
        names = [info.classes[label] for label in labels]
        yield "views", augmented.preview(originals, copies, names, VIEWS_PX)


def _augment(recipe: sections.Train) -> sections.Augment | None:
    """Return the changes that are drawn anew in each epoch, if any."""
    if isinstance(recipe, sections.TrainOnPixels):
        return recipe.augment
    if isinstance(recipe, sections.TrainOnFeatures) and recipe.fine_tune:
        return recipe.fine_tune.augment
    return None


def _of_the_tables(experiment: str, classes: tuple[str, ...]) -> Iterator[tuple[str, Figure]]:
    """Draw what training and scoring have written."""
    report = paths.report(experiment)
    yield "curves", curves.curves(pd.read_csv(report / "history.csv"))
    yield "confusion", confusion.confusion(pd.read_csv(report / "confusion.csv"), classes)
    of_classes = pd.read_csv(report / "per_class.csv").assign(**{"class": classes})
    yield "per_class", per_class.per_class(of_classes)
    yield "reliability", reliability.reliability(pd.read_csv(report / "reliability.csv"))


def _activations(experiment: str, images: NDArray[np.uint8], found: Predictions) -> Figure:
    """Look at some test images with the model; the one figure that needs TensorFlow."""
    from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports it  # noqa: F401
    from imago import activation_maps
    from imago.runtimes import determinism, saving

    determinism.enable()
    model, _ = saving.read(paths.model(experiment))
    rows = activations.choose(found)
    maps = activation_maps.compute(model, images[rows], found.predicted[rows])
    return activations.activations(images[rows], maps, found, rows)


if __name__ == "__main__":
    stage.run(main, __doc__)
