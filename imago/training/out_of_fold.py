"""A head's answers to the images that it learns from, each of a twin that did not learn from it.

Of few images none is spared for validation. Here they are divided into folds, and each fold is
asked of a head that has learnt from the others, as the one that is kept has learnt from all.

Source: J. Platt, Probabilistic Outputs for Support Vector Machines (1999), section 2.1, which takes
such answers to find how certain a model may be.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from imago.core import sections
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
GREATEST_SHARE = 0.25
"""Of the pictures of a class that are taken for one: of more, the likeness is that of the class."""
ROWS_AT_ONCE = 1024

Pairs = list[tuple[int, int]]


def answers(
    build: Callable[[], keras.Model],
    training: sections.TrainOnFeatures,
    train: Split,
    copies: int,
    given: Sequence[str],
    seed: int,
) -> Asked:
    """Ask each training image of a head that has not learnt from it.

    An image without which its class would be unknown is learnt from in every fold, and not asked.

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
    for learn, held_out in _divided(labels, groups(features[:, 0], labels, given), wanted, seed):
        some = Split(
            features[learn].reshape(-1, features.shape[-1]), np.repeat(labels[learn], step)
        )
        determinism.enable(seed)
        head = build()
        phases.fit_unsaved(head, training, some, seed)
        both = certainty.with_representation(head)
        neighbors = neighbors_of(both, some, copies, wanted, seed)
        found.append(ask(both, features[held_out, 0], labels[held_out], neighbors))
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
    labels: NDArray[np.int32],
    groups_of: NDArray[np.intp],
    wanted: sections.Certainty,
    seed: int,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield rows to learn from and rows to ask, where there are any."""
    from sklearn.model_selection import StratifiedGroupKFold  # here: it takes a second to import

    of_each = [len(np.unique(groups_of[labels == label])) for label in np.unique(labels)]
    if max(of_each) < 2:
        return
    count = min(wanted.folds or 0, *(groups for groups in of_each if groups > 1))
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # which is as it is
        divided = list(folds.split(labels, labels, groups_of))
    for learn, asked in divided:
        is_known = np.isin(labels[asked], labels[learn])
        if is_known.any():
            yield np.sort(np.concatenate([learn, asked[~is_known]])), asked[is_known]


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
    of_table = [(first.setdefault(name, row), row) for row, name in enumerate(given) if name]
    same, alike = _near(features)
    pictures = _components(len(labels), [*of_table, *same])
    looks = _components(len(labels), [*of_table, *same, *alike])
    of_look = np.bincount(looks[np.unique(pictures, return_index=True)[1]])
    of_class = np.array([len(np.unique(pictures[labels == k])) for k in range(labels.max() + 1)])
    is_look_of_class = of_look[looks] > np.maximum(2, GREATEST_SHARE * of_class[labels])
    return np.where(is_look_of_class, len(looks) + pictures, looks)


def _near(features: NDArray[np.float32]) -> tuple[Pairs, Pairs]:
    """Return pairs of rows that are the same, and those that are alike."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, np.finfo(np.float32).tiny)
    same: Pairs = []
    alike: Pairs = []
    for start in range(0, len(unit), ROWS_AT_ONCE):
        likeness = unit[start : start + ROWS_AT_ONCE] @ unit[start:].T
        for one, other in np.argwhere(np.triu(likeness >= ALIKE, 1)).tolist():
            pair = start + one, start + other
            (same if likeness[one, other] >= SAME else alike).append(pair)
    return same, alike


def _components(count: int, pairs: Pairs) -> NDArray[np.intp]:
    from scipy.sparse import coo_array  # here, for it takes a while to import
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, np.intp).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)
