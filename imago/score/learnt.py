"""Photos that a model has learnt from, where this project has its data: their score flatters."""

import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths
from imago.core.errors import DataError, ParamsError
from imago.data import index
from imago.data.arrays import SplitName

SPLITS: tuple[SplitName, ...] = ("train", "validation")


def count(images: NDArray[np.str_], experiment: str) -> int:
    """Count the images that a model has learnt from, or was chosen by, as far as is known.

    Args:
        images: (N,), the first 16 digits of each one's sha256.
        experiment: That the model is of; nothing is known where params.yaml does not have it, or
            its data are not here or have no index.
    """
    try:
        folder = paths.prepared(params.load().experiments[experiment].variant)
        known = {row["sha256"][:16] for split in SPLITS for row in index.rows(folder, split)}
    except (DataError, KeyError, ParamsError):
        return 0
    return sum(image in known for image in images.tolist())
