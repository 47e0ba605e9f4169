"""Which images a variant has in each of its splits."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imago.core import sections
from imago.core.errors import DataError
from imago.data.arrays import SplitName

FAULTS_SHOWN = 5


class Selection(NamedTuple):
    """Images of a split of the extracted data, by their positions in ascending order."""

    source: SplitName
    rows: NDArray[np.intp]


def draw(
    labels: Mapping[SplitName, NDArray[np.int32]],
    classes: Sequence[str],
    variant: sections.Prepare,
    seed: int,
) -> dict[SplitName, Selection]:
    """Choose the images of each split: limits per class first, then the validation images.

    Args:
        labels: Of the extracted splits, (N,) int32, positions in `classes`.
        classes: Names, for messages.
        variant: Says the limits and the share of validation images.
        seed: Of the draws.

    Raises:
        DataError: A class has too few examples to be split, or the data have validation images
            of their own and the variant asks for others.
    """
    limits = variant.limit_per_class
    train = limited(labels["train"], limits.train if limits else None, seed)
    test = Selection("test", limited(labels["test"], limits.test if limits else None, seed))
    if "validation" in labels:
        if variant.validation_fraction:
            message = (
                f"validation_fraction must be 0.0, for {variant.dataset} has "
                f"{len(labels['validation']):,} validation images of its own, "
                f"got {variant.validation_fraction}"
            )
            raise DataError(message)
        own = Selection("validation", np.arange(len(labels["validation"]), dtype=np.intp))
        return {"train": Selection("train", train), "validation": own, "test": test}
    fraction = variant.validation_fraction
    kept, held_out = stratified(labels["train"][train], classes, fraction, seed)
    learnt = Selection("train", train[kept])
    if not len(held_out):
        return {"train": learnt, "test": test}
    return {"train": learnt, "validation": Selection("train", train[held_out]), "test": test}


def limited(labels: NDArray[np.int32], per_class: int | None, seed: int) -> NDArray[np.intp]:
    """Draw at most `per_class` examples of each class, or all where there is no limit.

    Args:
        labels: (N,) int32.
        per_class: 1 or more; None for no limit.
        seed: Of the draw.

    Returns:
        Positions in ascending order.
    """
    if per_class is None:
        return np.arange(len(labels), dtype=np.intp)
    order = np.random.default_rng(seed).permutation(len(labels))
    chosen = [order[labels[order] == label][:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(chosen))


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
        more = len(faults) - FAULTS_SHOWN
        others = [f"{more:,} more classes have too few"] if more > 0 else []
        remedy = "add images or change the fraction"
        message = "; ".join([*faults[:FAULTS_SHOWN], *others, remedy])
        raise DataError(message)
