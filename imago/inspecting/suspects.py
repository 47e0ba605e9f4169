"""Labels that are probably wrong, as a classifier says that has not seen them.

A linear classifier learns on the features of four fifths of the photos and is asked about the
rest, five times; all photos of one picture are on one side. A photo is suspected whose most
probable class is another than its label, the more, the less probable its label is.

Source: C. Northcutt, L. Jiang and I. Chuang, Confident Learning: Estimating Uncertainty in Dataset
Labels (2021), ranking by self-confidence of predictions out of the fold. Its thresholds for each
class are left out: of 1,540 photos in four unequal classes, 75 of them mislabelled, the rule above
listed 119 with all 75 among them, the thresholds 61 with 56.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imago.core import joining
from imago.inspecting import discriminant

FOLDS = 5
MANY = 100_000_000
"""Photos, times features, times classes: of more, a classifier that learns sooner is asked."""
STRENGTH = 0.003
"""Of the classifier's weights against a penalty of their squares, where features have a standard
deviation of 1; of 0.0003 to 0.1 it gave the least loss out of the fold on the photos above."""
ITERATIONS = 300


@dataclass(frozen=True)
class Suspects:
    """Photos whose labels may be wrong, the most suspect first.

    Attributes:
        rows: Their positions.
        suggested: The class that each seems to be of, a position in the class names.
        probability: Of the suggested class, out of the fold.
        own: Of the label that each has.
    """

    rows: NDArray[np.intp]
    suggested: NDArray[np.intp]
    probability: NDArray[np.float64]
    own: NDArray[np.float64]


def find(probabilities: NDArray[np.float64], labels: NDArray[np.int32]) -> Suspects:
    """Return the suspects among N photos.

    Args:
        probabilities: (N, K), out of the fold.
        labels: (N,), positions in the K class names.
    """
    own = probabilities[np.arange(len(labels)), labels]
    suggested = probabilities.argmax(axis=1)
    rows = np.nonzero(suggested != labels)[0]
    rows = rows[np.argsort(own[rows], kind="stable")]
    return Suspects(rows, suggested[rows], probabilities[rows, suggested[rows]], own[rows])


def suspected(
    features: NDArray[np.float32],
    labels: NDArray[np.int32],
    pictures: NDArray[np.intp],
    seed: int,
    advance: Callable[[int], object] = lambda _: None,
) -> Suspects:
    """Return the suspects among photos; see `out_of_fold` for what it takes.

    Of MANY, folds are drawn without regard to the classes, since all have photos in each.
    """
    if features.size * (int(labels.max()) + 1) <= MANY:
        return find(out_of_fold(features, labels, pictures, seed, advance), labels)
    drawn = np.random.default_rng(seed).permutation(int(pictures.max()) + 1)
    found = []
    for rows, probabilities in discriminant.out_of_fold(features, labels, drawn[pictures] % FOLDS):
        some = find(probabilities, labels[rows])
        found.append(Suspects(rows[some.rows], some.suggested, some.probability, some.own))
        advance(len(rows))
    rows, suggested, probability, own = (
        np.concatenate([getattr(one, field.name) for one in found])
        for field in dataclasses.fields(Suspects)
    )
    order = np.lexsort([rows, own])
    return Suspects(rows[order], suggested[order], probability[order], own[order])


def out_of_fold(
    features: NDArray[np.float32],
    labels: NDArray[np.int32],
    pictures: NDArray[np.intp],
    seed: int,
    advance: Callable[[int], object] = lambda _: None,
) -> NDArray[np.float64]:
    """Return the probabilities of K classes, (N, K), that a classifier gives to photos new to it.

    Where no class has two pictures, one to learn from and one to be asked, each photo is taken for
    what its label says.

    Args:
        features: (N, F).
        labels: (N,), each of K classes at least once.
        pictures: (N,), the picture that each photo shows; see `duplicates.pictures`.
        seed: Of the folds.
        advance: Told the number of photos after each fold.
    """
    from sklearn.linear_model import LogisticRegression  # here: it takes a second to import

    classes = int(labels.max()) + 1
    divided = joining.folds(labels, pictures, FOLDS, seed)
    if not divided:
        advance(len(labels))
        return np.eye(classes)[labels]
    scaled = features / max(float(features.std()), float(np.finfo(np.float32).tiny))
    found = np.zeros((len(labels), classes))
    for learnt, asked in divided:
        present = np.unique(labels[learnt])
        if len(present) == 1:  # nothing to tell apart
            found[np.ix_(asked, present)] = 1.0
        else:
            model = LogisticRegression(C=STRENGTH, max_iter=ITERATIONS)
            model.fit(scaled[learnt], labels[learnt])
            found[np.ix_(asked, present)] = model.predict_proba(scaled[asked])
        advance(len(asked))
    return found
