"""The state of each finished epoch, kept on disk so that a killed training can go on."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from imago import files
from imago.errors import DataError
from imago.training import State


def key(*parts: Any) -> str:
    """Digest all that a training depends on, so that it never goes on from another one's state.

    Args:
        parts: JSON values: settings, seed, digests of data. The code of this package and the
            versions of the libraries that compute are added.

    Returns:
        16 hexadecimal digits.
    """
    package = Path(__file__).parent
    code = [
        hashlib.sha256(module.read_bytes()).hexdigest() for module in sorted(package.rglob("*.py"))
    ]
    versions = [library.__version__ for library in (keras, np, tf)]
    return hashlib.sha256(json.dumps([parts, code, versions]).encode()).hexdigest()[:16]


class FileCheckpoint:
    """A file that holds the variables of a model and its optimizer, and the history so far."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.npz"

    def restore(self, model: keras.Model) -> State:
        """Set the model's and its optimizer's variables, if there is a file, and give the state.

        Raises:
            DataError: The file cannot be read, or belongs to another model.
        """
        if not self.path.exists():
            return State()
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as saved:
                arrays = dict(saved)
        except (EOFError, ValueError, zipfile.BadZipFile) as error:
            message = f"{self.path}: must be a saved training, but {error}; delete it"
            raise DataError(message) from error
        for variable, value in zip(_variables(model), _numbered(arrays, "variable"), strict=True):
            variable.assign(value)
        history = json.loads(str(arrays["history"]))
        return State(history, _numbered(arrays, "best") or None)

    def save(self, model: keras.Model, state: State) -> None:
        """Replace the file by one with the variables as they are and the state."""
        values = [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]
        arrays = {f"variable{index}": value for index, value in enumerate(values)}
        arrays |= {f"best{index}": value for index, value in enumerate(state.best_weights or [])}
        arrays["history"] = np.array(json.dumps(state.history))
        with files.replacing(self.path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)

    def remove(self) -> None:
        """Delete the file: the training is done."""
        self.path.unlink(missing_ok=True)


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    count = sum(name.startswith(prefix) for name in arrays)
    return [arrays[f"{prefix}{index}"] for index in range(count)]
