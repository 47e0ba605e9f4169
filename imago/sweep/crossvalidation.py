"""Cross-validation of heads: each fold of the features is scored by a head that never saw it.

Over the training and the validation images of an experiment; the test split is not opened.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from imago import models, params
from imago.core import paths, progress, registry, sections
from imago.core.errors import SweepError
from imago.core.joining import Fold
from imago.data import arrays, index
from imago.data.arrays import Split, SplitName
from imago.params import Experiment
from imago.runtimes import determinism
from imago.sweep import fold_scores, folds, space, trials
from imago.sweep.fold_scores import Result
from imago.training import phases

SPLITS: tuple[SplitName, ...] = ("train", "validation")


@dataclass(frozen=True)
class Examples:
    """All that may be learnt from.

    Attributes:
        features: (N, 1 + V, F) float32, of each image and its augmented copies.
        labels: (N,) int32.
        classes: K names.
        groups: (N,), equal for images that no two folds may share.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int32]
    classes: Sequence[str]
    groups: NDArray[np.intp]


def run(experiment: str, values: Sequence[str], count: int) -> list[Result]:
    """Score each way of training, the best balanced accuracy first.

    Args:
        experiment: Its name; its input must be features.
        values: Of keys of its section `train`, as `space.parse` reads them, each with each.
        count: Of folds.

    Raises:
        DataError: The features or the prepared images are missing or damaged.
        SweepError: It cannot be done; says why.
    """
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    wanted = space.grid(space.parse(values))
    trainings = trials.trainings(experiment, wanted)
    for training in trainings:
        _check(experiment, chosen, training)
    examples = read(chosen)
    labels, classes = examples.labels, examples.classes
    divided = folds.draw(labels, classes, examples.groups, count, settings.seed)
    results = []
    with progress.bar("cross-validation", len(wanted) * count, "trainings") as advance:
        for trial, training in zip(wanted, trainings, strict=True):
            hits = []
            for fold in divided:
                hits.append(_hits(training, examples, fold, settings.seed))
                advance(1)
            results.append(
                fold_scores.of(trial, hits, [labels[held_out] for _, held_out in divided])
            )
    return sorted(results, key=lambda result: -float(np.mean(result.balanced_accuracies)))


def _check(experiment: str, chosen: Experiment, training: sections.Train) -> None:
    if chosen.features is None or not isinstance(training, sections.TrainOnFeatures):
        message = (
            f"{experiment}: input must be features for a cross-validation, got {chosen.input}; "
            "imago sweep compares trainings on pixels"
        )
        raise SweepError(message)
    for key in ("early_stopping", "fine_tune"):
        if getattr(training, key) is not None:
            message = (
                f"{experiment}: must have no {key} in a cross-validation, for each fold is scored "
                f"on images that nothing was chosen by; try {key}=null and epochs beside it"
            )
            raise SweepError(message)


def read(chosen: Experiment) -> Examples:
    """Read the features of an experiment, and find which images belong together.

    Raises:
        DataError: They, or the images that they are of, are missing or damaged.
    """
    folder, pixels = paths.data(chosen.input), paths.data(chosen.pixels)
    info = arrays.read_info(folder)
    there = [split for split in SPLITS if split in info.splits]
    for one in (folder, pixels):
        arrays.verify(one, *there)
    features, images, labels = [], [], []
    rows: list[index.Row] = []
    for split in there:
        found, step = arrays.read_split(folder, split), info.step(split)
        own = np.asarray(found.images).reshape(-1, step, found.images.shape[-1])
        # A validation image has no copies: it stands for them, so that each counts as much.
        features.append(np.broadcast_to(own, (len(own), info.step("train"), own.shape[-1])))
        labels.append(found.labels[::step])
        images.append(arrays.read_split(pixels, split).images[::step])  # stay on disk
        rows += index.rows(pixels, split)
    all_labels = np.concatenate(labels)
    # By the rule of the splits, and on pixels as they are, for a fold stands for another split. The
    # stage train, which asks in folds too, goes by the features: it reads nothing else.
    alike = folds.of_groups(itertools.chain(*images), all_labels, info.classes, rows)
    return Examples(np.concatenate(features), all_labels, info.classes, alike)


def learnt(training: sections.Train, train: Split, class_count: int, seed: int) -> keras.Model:
    """Return a head that has learnt from features, as the stage train comes to it.

    Args:
        training: How.
        train: Features (N, F) float32, labels (N,) int32.
        class_count: K.
        seed: Of every draw.
    """
    head = untrained(training, train, class_count, seed)
    phases.fit_unsaved(head, training, train, seed)
    return head


def untrained(training: sections.Train, train: Split, class_count: int, seed: int) -> keras.Model:
    """Return the head that `learnt` begins with."""
    determinism.enable(seed)
    architecture = registry.load(models, training.model, "build")
    head: keras.Model = architecture.build(training, train.images.shape[1:], class_count, None)
    return head


def _hits(training: sections.Train, examples: Examples, fold: Fold, seed: int) -> NDArray[np.bool_]:
    """Say of each held-out example of a fold whether it is answered rightly, in their order."""
    learn, held_out = fold
    copies = examples.features.shape[1]
    train = Split(
        examples.features[learn].reshape(-1, examples.features.shape[-1]),
        np.repeat(examples.labels[learn], copies),
    )
    head = learnt(training, train, len(examples.classes), seed)
    probabilities = keras.ops.convert_to_numpy(head(examples.features[held_out, 0]))
    keras.utils.clear_session()
    return np.asarray(probabilities.argmax(axis=1) == examples.labels[held_out])
