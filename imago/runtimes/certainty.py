"""What a training leaves behind for a model to know how far it may be believed.

    <folder>/validation.csv   of each validation image, or training image out of the fold: label,
                              predicted, probability of that, and distance where there are neighbors
    <folder>/neighbors.npy    (M, F) float32, representations of training images, each of length 1

The representation of an image is what goes into a model's last layer. How far it is from those of
training images says how unlike them the image is, whatever the probabilities are.

Source: Y. Sun et al., Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022.

TensorFlow is imported only where something is computed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imago.core import files
from imago.core.errors import DataError
from imago.runtimes.model_json import TrainedDescription

if TYPE_CHECKING:
    import keras

VALIDATION_FILE, NEIGHBORS_FILE = "validation.csv", "neighbors.npy"
NEAREST = 5
"""The distance is that to the fifth of the nearest: the first may be a stray."""


@dataclass(frozen=True)
class Answers:
    """A model's answers to V images.

    Attributes:
        labels: (V,) int32, positions in the class names.
        predicted: (V,) int32.
        probability: (V,) float32, of what is predicted.
        distance: (V,) float32, 0 to 2; None where there are no neighbors.
    """

    labels: NDArray[np.int32]
    predicted: NDArray[np.int32]
    probability: NDArray[np.float32]
    distance: NDArray[np.float32] | None

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right, (V,)."""
        return np.asarray(self.predicted == self.labels)


@dataclass(frozen=True)
class Certainty:
    """What was found after a training.

    Attributes:
        temperature: By which the model's logits were divided; None where they are as learnt.
        validation: Of the model as it is kept.
        neighbors: (M, F) float32, each of length 1; None where none are asked for.
    """

    temperature: float | None
    validation: Answers
    neighbors: NDArray[np.float32] | None


def write(folder: Path, certainty: Certainty) -> None:
    """Write the two files into a folder that is being written."""
    found = certainty.validation
    columns: dict[str, list[Any]] = {
        "label": found.labels.tolist(),
        "predicted": found.predicted.tolist(),
        "probability": found.probability.tolist(),
    }
    if found.distance is not None:
        columns["distance"] = found.distance.tolist()
    rows = zip(*columns.values(), strict=True)
    files.write_rows(folder / VALIDATION_FILE, columns, rows)
    if certainty.neighbors is not None:
        np.save(folder / NEIGHBORS_FILE, certainty.neighbors)


def answers(
    labels: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    distance: NDArray[np.float32] | None,
) -> Answers:
    """Return what a model's probabilities, (N, K), say of images with labels, (N,)."""
    predicted = probabilities.argmax(axis=1).astype(np.int32)
    return Answers(np.asarray(labels), predicted, probabilities.max(axis=1), distance)


def read(folder: Path, described: TrainedDescription, with_neighbors: bool) -> Certainty:
    """Read what `write` wrote.

    Args:
        folder: Of a trained model.
        described: Its description.
        with_neighbors: Whether they are needed.

    Raises:
        DataError: A file is missing, damaged, or of another training.
    """
    names = [VALIDATION_FILE, NEIGHBORS_FILE][: 1 + with_neighbors]
    for name in names:
        if not (folder / name).is_file():
            message = f"{folder / name}: not found; the stage train writes it: run it again"
            raise DataError(message)
        described.verify(folder / name)
    neighbors = _read_neighbors(folder / NEIGHBORS_FILE) if with_neighbors else None
    return Certainty(described.temperature, _read_validation(folder / VALIDATION_FILE), neighbors)


def _read_validation(path: Path) -> Answers:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        columns = {key: [row[key] for row in rows] for key in rows[0]}
        return Answers(
            np.array(columns["label"], np.int32),
            np.array(columns["predicted"], np.int32),
            np.array(columns["probability"], np.float32),
            np.array(columns["distance"], np.float32) if "distance" in columns else None,
        )
    except (IndexError, KeyError, ValueError) as error:
        message = f"{path}: must be a table of answers; run the stage train again"
        raise DataError(message) from error


def _read_neighbors(path: Path) -> NDArray[np.float32]:
    try:
        found: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        message = f"{path}: must be an array: {error}; run the stage train again"
        raise DataError(message) from error
    return found


def with_representation(model: keras.Model) -> keras.Model:
    """Return a twin of a model that gives representations, (n, F), beside its probabilities."""
    import keras

    twin = keras.models.clone_model(model)  # for a layer of two models has two inputs
    twin.set_weights(model.get_weights())
    return keras.Model(twin.inputs[0], [twin.layers[-1].input, twin.outputs[0]], name=model.name)


def with_distance(model: keras.Model, neighbors: NDArray[np.float32]) -> keras.Model:
    """Return a twin of a model that gives distances, (n,), beside its probabilities."""
    import keras

    twin = with_representation(model)
    found, probabilities = twin.outputs
    return keras.Model(twin.inputs[0], [probabilities, distance(found, neighbors)], name=model.name)


def unit(representations: Any) -> Any:
    """Scale representations, (n, F), to length 1."""
    import keras

    return keras.ops.normalize(keras.ops.cast(representations, "float32"), axis=1)


def distance(representations: Any, neighbors: NDArray[np.float32]) -> Any:
    """Compute how far representations, (n, F), are from their neighbors, (M, F): (n,), 0 to 2.

    The cosine distance to the nearest but NEAREST - 1.
    """
    import keras

    similar = keras.ops.matmul(unit(representations), neighbors.T)
    nearest, _ = keras.ops.top_k(similar, min(NEAREST, len(neighbors)))
    return 1 - nearest[:, -1]
