"""What a model said of each test image, and its table: predictions/<experiment>.parquet.

pandas is imported where a table is made or read: it takes a second, and metrics need no table.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imago.core import files
from imago.core.errors import DataError
from imago.core.photo_names import listed

if TYPE_CHECKING:
    import pandas as pd

PROBABILITY = "p:"
"""Begins the name of the column of a class's probability."""
NAMES = ("true", "predicted")
TEXTS = (*NAMES, "image", "photo")
COLUMNS_SHOWN = 5
MAGIC = b"PAR1"
"""Begins a Parquet file."""


@dataclass(frozen=True)
class Predictions:
    """The test images, in the order of their split.

    Attributes:
        classes: K names.
        images: (N,) texts that tell the images apart.
        labels: (N,) positions of the true classes.
        predicted: (N,) positions of the predicted classes.
        probabilities: (N, K), float32 or float64.
        photos: (N,) their files in the data set; empty where they are none.
    """

    classes: tuple[str, ...]
    images: NDArray[np.str_]
    labels: NDArray[np.integer]
    predicted: NDArray[np.integer]
    probabilities: NDArray[np.floating]
    photos: Sequence[str] = ()

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one, (N,)."""
        return np.asarray(self.predicted == self.labels)

    @cached_property
    def confidence(self) -> NDArray[np.floating]:
        """Probabilities of the predicted classes, (N,)."""
        return np.asarray(self.probabilities.max(axis=1))

    @cached_property
    def of_truth(self) -> NDArray[np.floating]:
        """Probabilities of the true classes, (N,)."""
        return np.asarray(self.probabilities[np.arange(len(self.labels)), self.labels])

    def ordered(self) -> Predictions:
        """Sort by image and true class, so that the rows of two tables of one split pair up."""
        return self.taken(np.lexsort([self.labels, self.images]))

    def taken(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Predictions:
        """Return those of some rows, without their files."""
        return Predictions(
            self.classes,
            self.images[rows],
            self.labels[rows],
            self.predicted[rows],
            self.probabilities[rows],
        )


def make(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    classes: Sequence[str],
    identities: NDArray[np.uint64],
    photos: Sequence[str] = (),
) -> Predictions:
    """Return what a model said, from its output.

    Args:
        labels: (N,) integers in 0..K-1.
        probabilities: (N, K), each row adding up to 1.
        classes: K names.
        identities: (N,), which tell the images apart and are the same for every variant.
        photos: (N,) their files in the data set, where they are files.

    Raises:
        DataError: A row of probabilities has an element below 0 or that is no number, or adds up
            to more or less than 1 by over 0.001.
    """
    _require_probabilities(probabilities)
    images = np.frombuffer(identities.astype(">u8").tobytes().hex().encode(), "S16").astype(np.str_)
    predicted = np.asarray(probabilities.argmax(axis=1))
    return Predictions(tuple(classes), images, labels, predicted, probabilities, photos)


def _require_probabilities(probabilities: NDArray[np.floating]) -> None:
    sums = probabilities.sum(axis=1, dtype=np.float64)
    good = (probabilities >= 0).all(axis=1) & (np.abs(sums - 1) <= 1e-3)  # of NaN neither is true
    if not good.all():
        row = int(np.argmin(good))
        got = ", ".join(f"{value:g}" for value in probabilities[row, :5])
        message = (
            f"example {row}: the model's output must be probabilities that add up to 1, "
            f"got {got}{', …' if probabilities.shape[1] > 5 else ''}; train the model "
            "again, or, of an architecture of your own, end it with a softmax"
        )
        raise DataError(message)


def table(predictions: Predictions) -> pd.DataFrame:
    """Return a row for each example, in the order of the split.

    Returns:
        Columns example (from 0), photo (its file, where they are files), image (its identity, 16
        characters of 0-9 and a-f), true,
        predicted (names), probability (of the predicted class), true_probability (of the true
        class), and for each class in its order p:<class>, its probability.
    """
    import pandas as pd

    return pd.DataFrame(dict(_columns(predictions)))


def _columns(predictions: Predictions) -> Iterator[tuple[str, Any]]:
    """Yield the names of the columns and their values, N of each."""
    names = np.asarray(predictions.classes, dtype=object)
    yield "example", np.arange(len(predictions.labels))
    if predictions.photos:
        yield "photo", predictions.photos
    yield "image", predictions.images
    yield "true", names[predictions.labels]
    yield "predicted", names[predictions.predicted]
    yield "probability", predictions.confidence
    yield "true_probability", predictions.of_truth
    yield from zip(_names(predictions.classes), predictions.probabilities.T, strict=True)


def write(path: Path, predictions: Predictions) -> None:
    """Write the table as Parquet, probabilities as float32; equal ones as equal bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {"example": pa.int64(), **dict.fromkeys(TEXTS, pa.string())}
    # Column by column and not by way of a frame, which holds everything a second time.
    whole = pa.table(
        {
            name: pa.array(values, kinds.get(name, pa.float32()))
            for name, values in _columns(predictions)
        }
    )
    with files.replacing(path) as temporary:
        parquet.write_table(
            whole,
            temporary,
            compression="zstd",
            store_schema=False,
            use_dictionary=list(NAMES),
            write_page_checksum=True,
        )


def read(path: Path, classes: tuple[str, ...]) -> Predictions:
    """Read the table of a model with these classes.

    Raises:
        DataError: The table is missing or damaged, or is not one of these classes.
    """
    try:
        found = parse(path.read_bytes(), str(path))
    except FileNotFoundError as error:
        message = f"{path}: not found; run the stage that writes it"
        raise DataError(message) from error
    except DataError as error:
        message = f"{error}; run the stage that writes it again"
        raise DataError(message) from error
    if found.classes != classes:
        message = (
            f"{path}: must have the columns {listed(_names(classes), COLUMNS_SHOWN)}, got "
            f"{listed(_names(found.classes), COLUMNS_SHOWN)}; run the stage that writes it again"
        )
        raise DataError(message)
    return found


def parse(content: bytes, where: str) -> Predictions:
    """Read the bytes of a table, its probabilities to the bit: float32.

    Args:
        content: Parquet, or CSV, as earlier versions have written it.
        where: Begins an error.

    Raises:
        DataError: They are no table of predictions; the message names no remedy.
    """
    rows = (_of_parquet if content.startswith(MAGIC) else _of_csv)(content, where)
    if absent := sorted({"image", *NAMES} - set(rows.columns)):
        message = f"{where}: must have the column {absent[0]}, got {', '.join(rows.columns[:6])}"
        raise DataError(message)
    columns = [name for name in rows.columns if name.startswith(PROBABILITY)]
    classes = tuple(name.removeprefix(PROBABILITY) for name in columns)
    try:
        probabilities = rows[columns].to_numpy(np.float32)
    except (TypeError, ValueError) as error:
        message = f"{where}: probabilities must be numbers: {error}"
        raise DataError(message) from error
    if not len(rows):
        message = f"{where}: must have a row for each test image, got none"
        raise DataError(message)
    return Predictions(
        classes,
        rows["image"].to_numpy(np.str_),
        _positions(rows["true"], classes, where),
        _positions(rows["predicted"], classes, where),
        probabilities,
        rows["photo"].tolist() if "photo" in rows else (),
    )


def _of_parquet(content: bytes, where: str) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        found: pd.DataFrame = parquet.read_table(
            pa.BufferReader(content), page_checksum_verification=True
        ).to_pandas()
    except (KeyError, OSError, TypeError, ValueError, pa.ArrowException) as error:
        raise _no_table(where, error) from error
    return found


def _of_csv(content: bytes, where: str) -> pd.DataFrame:
    import pandas as pd

    try:
        # As texts: a class can be named 7, NA or true.
        texts = dict.fromkeys(TEXTS, str)
        return pd.read_csv(io.BytesIO(content), dtype=texts, keep_default_na=False)
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise _no_table(where, error) from error


def _no_table(where: str, error: Exception) -> DataError:
    return DataError(f"{where}: must be a table of predictions: {' '.join(str(error).split())}")


def _positions(column: pd.Series[str], classes: tuple[str, ...], where: str) -> NDArray[np.intp]:
    import pandas as pd

    positions = pd.Index(classes).get_indexer(pd.Index(column))
    if (positions < 0).any():
        row = int(np.argmin(positions))
        message = (
            f"{where}: row {row + 1}: {column.name} must be a class with a column "
            f"{PROBABILITY}<class>, got {column.iloc[row]!r}"
        )
        raise DataError(message)
    return np.asarray(positions, np.intp)


def _names(classes: Sequence[str]) -> list[str]:
    """Return the names of the columns of the classes' probabilities."""
    return [f"{PROBABILITY}{name}" for name in classes]
