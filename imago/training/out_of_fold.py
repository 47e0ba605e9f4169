"""A head's answers to the images that it learns from, each of a twin that did not learn from it.

Of few images none is spared for validation. Here they are divided into folds, and each fold is
asked of a head that has learnt from the others, as the one that is kept has learnt from all.

Source: J. Platt, Probabilistic Outputs for Support Vector Machines (1999), section 2.1, which takes
such answers to find how certain a model may be.
"""

from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from imago.core import joining, progress, sections
from imago.core.errors import DataError
from imago.data.arrays import Split
from imago.runtimes import certainty, determinism
from imago.training import phases
from imago.training.certainty import Asked, ask, neighbors_of

ALIKE, SAME = 0.9, 0.9999
"""Cosines between the features of two images. From the one on they are as good as one picture: of
EfficientNet-Lite0's, copies that are a little shifted or lighter have 0.94 at least, and of some
750 photos of cats, dogs and other things no two others have more than 0.88. From the other on they
are one."""
ROWS_AT_ONCE = 256


def answers(
    build: Callable[[], keras.Model],
    training: sections.TrainOnFeatures,
    train: Split,
    copies: int,
    given: Sequence[str],
    seed: int,
) -> Asked:
    """Ask each training image of a head that has not learnt from it.

    An image without which its class would be unknown is learnt from, with its group, and not asked.

    Args:
        build: Returns a head that has learnt nothing.
        training: How it learns; with `certainty.folds`.
        train: Features (N * (1 + copies), F), labels.
        copies: Augmented ones that follow each image.
        given: Names of the groups of the N images that belong together; "" where nobody says so.
            None at all: nobody says so of any.
        seed: Of every draw.

    Raises:
        DataError: No image can be asked.
    """
    wanted = training.certainty
    if wanted is None or wanted.folds is None:
        message = "certainty.folds must be there"
        raise ValueError(message)
    step = 1 + copies
    features = np.asarray(train.images).reshape(-1, step, train.images.shape[-1])
    labels = np.asarray(train.labels[::step])
    found: list[Asked] = []
    divided = _divided(labels, groups(features[:, 0], labels, given), wanted.folds, seed)
    with progress.bar("ask in folds", len(divided), "heads") as advance:
        for learn, held_out in divided:
            some = Split(
                features[learn].reshape(-1, features.shape[-1]), np.repeat(labels[learn], step)
            )
            determinism.enable(seed)
            head = build()
            phases.fit_unsaved(head, training, some, seed)
            both = certainty.with_representation(head)
            neighbors = neighbors_of(both, some, copies, wanted, seed)
            found.append(ask(both, features[held_out, 0], labels[held_out], neighbors))
            advance(1)
    if not found:
        message = (
            "train.certainty.folds: a class must have two images or more that are not alike, for "
            "one to be learnt from and one to be asked, got none; add images, or leave out "
            "train.certainty and unsure"
        )
        raise DataError(message)
    distances = [one.distance for one in found if one.distance is not None]
    return Asked(
        np.concatenate([one.labels for one in found]),
        np.concatenate([one.probabilities for one in found]),
        np.concatenate(distances) if distances else None,
    )


def _divided(
    labels: NDArray[np.int32], groups_of: NDArray[np.intp], count: int, seed: int
) -> list[joining.Fold]:
    """Return rows to learn from and rows to ask of each fold in which there are any."""
    found = []
    for learn, held_out in joining.folds(labels, groups_of, count, seed):
        unknown = held_out[~np.isin(labels[held_out], labels[learn])]
        is_learnt = np.isin(groups_of[held_out], groups_of[unknown])
        if not is_learnt.all():
            learn = np.sort(np.concatenate([learn, held_out[is_learnt]]))
            found.append((learn, held_out[~is_learnt]))
    return found


def groups(
    features: NDArray[np.float32], labels: NDArray[np.int32], given: Sequence[str]
) -> NDArray[np.intp]:
    """Number the images that belong together, so that no two folds share them: (N,).

    Args:
        features: (N, F).
        labels: (N,).
        given: See `answers`.
    """
    first: dict[str, int] = {}
    named = [(first.setdefault(name, row), row) for row, name in enumerate(given) if name]
    pictures = joining.joined(np.arange(len(labels)), *np.array(named, np.intp).reshape(-1, 2).T)
    looks = pictures
    for one, other, likeness in _near(features):
        is_same = likeness >= SAME
        pictures = joining.joined(pictures, one[is_same], other[is_same])
        looks = joining.joined(looks, one, other)
    of_look = np.bincount(looks[np.unique(pictures, return_index=True)[1]])
    of_class = np.array([len(np.unique(pictures[labels == k])) for k in range(labels.max() + 1)])
    torn = np.isin(looks, looks[joining.is_of_class(of_look[looks], of_class[labels])])
    return np.where(torn, len(looks) + pictures, looks)


def _near(
    features: NDArray[np.float32],
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
    """Yield the rows of pairs that are alike, some at a time, and their likeness."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, np.finfo(np.float32).tiny)
    for start in range(0, len(unit), ROWS_AT_ONCE):
        likeness = unit[start : start + ROWS_AT_ONCE] @ unit[start:].T
        one, other = np.nonzero(np.triu(likeness >= ALIKE, 1))
        yield start + one, start + other, likeness[one, other]
