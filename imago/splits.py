"""Validation images, drawn from the training images."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imago.errors import DataError


def stratified(
    labels: NDArray[np.int32], classes: Sequence[str], validation_fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Divide examples into train and validation, the same share of each class.

    Shares are met to within one example of each class, and exactly where they are whole numbers.

    Args:
        labels: (N,) int32, positions in `classes`.
        classes: Names, for messages.
        validation_fraction: Share held out, from 0 to below 1; rounded to whole examples.
        seed: Of the draw.

    Returns:
        The positions of the training examples and those of the validation examples, each in
        ascending order, so that reading goes forwards; 0 holds none out.

    Raises:
        DataError: A class has too few examples to be in both.
    """
    total = len(labels)
    everything = np.arange(total, dtype=np.intp)
    if not validation_fraction:
        return everything, everything[:0]
    held_out = min(max(1, round(validation_fraction * total)), total - 1)
    _check_every_class_is_in_both(labels, classes, validation_fraction, held_out)

    from sklearn.model_selection import train_test_split  # here: it takes a second to import

    train, validation = train_test_split(
        everything, test_size=held_out, stratify=labels, random_state=seed
    )
    return np.sort(train), np.sort(validation)


def _check_every_class_is_in_both(
    labels: NDArray[np.int32], classes: Sequence[str], validation_fraction: float, held_out: int
) -> None:
    # A class of n examples gives at least floor(n x held_out / total) to validation, and as
    # much for training: this is from where on neither is 0.
    total = len(labels)
    fewest = math.ceil(total / max(1, min(held_out, total - held_out)))
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    faults = [
        f"class {name!r} must have at least {fewest} training images to be split by "
        f"validation_fraction {validation_fraction}, got {count}"
        for name, count in zip(classes, counts, strict=True)
        if count < fewest
    ]
    if faults:
        message = "; ".join([*faults, "add images or change the fraction"])
        raise DataError(message)
