"""What a model said of each test image, as the table of predictions holds it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imago.core.errors import DataError


@dataclass(frozen=True)
class Outcomes:
    """The test images in the order of their split.

    Attributes:
        classes: K names.
        labels: (N,) positions of the true classes.
        probabilities: (N, K) float32.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.intp]
    probabilities: NDArray[np.float32]

    @cached_property
    def predicted(self) -> NDArray[np.intp]:
        """Positions of the most probable classes, (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.intp)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """Probabilities of the predicted classes, (N,)."""
        return np.asarray(self.probabilities.max(axis=1), np.float32)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one, (N,)."""
        return np.asarray(self.predicted == self.labels)


def read(path: Path, classes: tuple[str, ...]) -> Outcomes:
    """Read predictions/<experiment>.csv, see `scores.per_example`.

    Args:
        path: The table.
        classes: K names, in the order of the data's labels.

    Raises:
        DataError: The table is missing, or is not one of these classes.
    """
    columns = [f"p:{name}" for name in classes]
    types: dict[str, type] = dict.fromkeys(columns, np.float32) | {"true": str}
    try:
        # As texts: a class can be named 7, NA or true.
        table = pd.read_csv(path, dtype=types, keep_default_na=False)
    except FileNotFoundError as error:
        message = f"{path}: not found; run the stage that writes it"
        raise DataError(message) from error
    found = [name for name in table.columns if name.startswith("p:")]
    if found != columns:
        message = (
            f"{path}: must have the columns {', '.join(columns)}, got {', '.join(found)}; "
            "run the stage that writes it again"
        )
        raise DataError(message)
    position = {name: index for index, name in enumerate(classes)}
    labels = np.array([position[name] for name in table["true"]], np.intp)
    return Outcomes(classes, labels, table[columns].to_numpy(np.float32))
