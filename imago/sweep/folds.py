"""Examples divided into folds, each once held out and otherwise learnt from."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from imago.core import joining
from imago.core.errors import SweepError
from imago.datasets.image_folder import groups
from imago.datasets.image_folder.inspection import Photo
from imago.photos import fingerprints


def of_groups(
    images: Iterable[NDArray[np.uint8]],
    labels: NDArray[np.int32],
    classes: Sequence[str],
    rows: Sequence[Mapping[str, str]],
) -> NDArray[np.intp]:
    """Number the groups of images that no two folds may share: look-alikes, and those of a table.

    By the rule of the splits, on the images as they were prepared.

    Args:
        images: N of (H, W, 3) uint8, RGB, 0-255.
        labels: (N,), positions in `classes`.
        classes: Names.
        rows: Of the index, one for each image; none where the data have no index.

    Returns:
        (N,), equal numbers for images of one group.
    """
    photos = [
        Photo(
            path=str(row),
            split="train",
            class_name=classes[label],
            width_px=image.shape[1],
            height_px=image.shape[0],
            file_bytes=0,
            sha256=b"",
            fingerprint=fingerprints.fingerprint(np.asarray(image)),
            group=(rows[row].get("group") or None) if rows else None,
        )
        for row, (image, label) in enumerate(zip(images, labels.tolist(), strict=True))
    ]
    numbers = np.empty(len(photos), np.intp)
    for number, some in enumerate(groups.together(photos)):
        numbers[some] = number
    return numbers


def draw(
    labels: NDArray[np.int32],
    classes: Sequence[str],
    groups_of: NDArray[np.intp],
    count: int,
    seed: int,
) -> list[joining.Fold]:
    """Divide examples, about the same share of each class in every fold, and no group in two.

    Args:
        labels: (N,), positions in `classes`.
        classes: Names, for messages.
        groups_of: (N,), the number of each example's group.
        count: Of the folds, 2 or more.
        seed: Of the draw.

    Raises:
        SweepError: A class has fewer groups than there are folds.
    """
    for label, name in enumerate(classes):
        found = len(np.unique(groups_of[labels == label]))
        if found < count:
            message = (
                f"class {name!r} must have at least {count} images that are not alike, one for "
                f"each fold, got {found}; {'use fewer folds, or ' if found > 1 else ''}add images"
            )
            raise SweepError(message)
    return joining.folds(labels, groups_of, count, seed)
