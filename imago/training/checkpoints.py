"""The state of each finished epoch, kept on disk so that a killed training can go on."""

import contextlib
import functools
import hashlib
import io
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
import tensorflow as tf

import imago
from imago.core import cluster, files
from imago.training import devices
from imago.training.loop import State

log = logging.getLogger(__name__)

DIGEST_BYTES = 32
BLOCK_BYTES = 2**20
"""Of a file, read at a time."""


def key(*parts: Any) -> str:
    """Digest all that a training depends on, so that it never goes on from another one's state.

    Args:
        parts: JSON values: settings, seed, digests of data. The code, the versions of the libraries
            that compute, its devices and how many processes train together are added.

    Returns:
        16 hexadecimal digits.
    """
    machine = [library.__version__ for library in (keras, np, tf)]
    machine += [device.device_type for device in tf.config.list_physical_devices()]
    machine.append(cluster.member().count)
    return hashlib.sha256(json.dumps([parts, _code(), machine]).encode()).hexdigest()[:16]


@functools.cache  # one answer for a process, which may import more later
def _code() -> list[str]:
    """Return digests of the modules of this repository that the process has imported so far.

    These are what a training is made of: the stage, the loop, the architecture and all that they
    need. A change of a module that no training imports leaves its state as it is.
    """
    root = Path(imago.__file__).parents[1]
    files_of_modules = {getattr(module, "__file__", None) for module in [*sys.modules.values()]}
    paths = sorted(Path(file) for file in files_of_modules if file)
    own = [path for path in paths if path.is_relative_to(root / "imago")]
    own += [path for path in paths if path.is_relative_to(root / "stages")]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in own]


class DamagedError(ValueError):
    """A file is not, byte for byte, what was saved."""


class FileCheckpoint:
    """A file that holds the variables of a model and its optimizer, and the history so far.

    The sha256 of all before it ends the file: readers of damaged archives may raise anything.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.npz"

    def restore(self, model: keras.Model) -> State:
        """Set the model's and its optimizer's variables, if there is a file, and give the state.

        A file that cannot be used is deleted with a warning: the training starts anew, and comes
        to the same end.
        """
        try:
            with self._open() as stream:
                arrays = _read(stream)
        except FileNotFoundError:
            return State()
        except DamagedError as error:
            return self._give_up(str(error))
        history = json.loads(str(arrays["history"]))
        variables, values = _variables(model), _numbered(arrays, "variable")
        if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
            return self._give_up("it is that of another model")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return State(history, _numbered(arrays, "best") or None)

    def _open(self) -> BinaryIO:
        return self.path.open("rb")

    def _give_up(self, reason: str) -> State:
        log.warning("%s: cannot be used (%s); the training starts anew", self.path, reason)
        self.remove()
        return State()

    def save(self, model: keras.Model, state: State) -> None:
        """Replace the file by one with the variables as they are and the state."""
        values = [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]
        arrays = {f"variable{index}": value for index, value in enumerate(values)}
        arrays |= {f"best{index}": value for index, value in enumerate(state.best_weights or [])}
        arrays["history"] = np.array(json.dumps(state.history))
        with files.replacing(self.path) as temporary, temporary.open("w+b") as stream:
            np.savez(stream, **arrays)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").digest()
            stream.write(digest)

    def remove(self) -> None:
        """Delete the file and its folder: the training is done."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


class SharedCheckpoint(FileCheckpoint):
    """That of the chief of several processes, which all of them go on from."""

    def __init__(self, folder: Path, strategy: tf.distribute.Strategy) -> None:
        super().__init__(folder)
        self.strategy = strategy

    def _open(self) -> BinaryIO:
        content = b""
        if cluster.member().is_chief:
            with contextlib.suppress(FileNotFoundError):
                content = self.path.read_bytes()
        if content := devices.from_chief(content, self.strategy):
            return io.BytesIO(content)
        raise FileNotFoundError(self.path)

    def save(self, model: keras.Model, state: State) -> None:
        """Replace the chief's file."""
        if cluster.member().is_chief:
            super().save(model, state)

    def remove(self) -> None:
        """Delete the chief's file and its folder."""
        if cluster.member().is_chief:
            super().remove()


class NoCheckpoint:
    """Keeps nothing, of a training of seconds."""

    def restore(self, model: keras.Model) -> State:
        """Return the state of a training that has not begun."""
        return State()

    def save(self, model: keras.Model, state: State) -> None:
        """Do nothing."""


def _read(stream: BinaryIO) -> dict[str, np.ndarray]:
    digest, length = hashlib.sha256(), stream.seek(0, os.SEEK_END) - DIGEST_BYTES
    stream.seek(0)
    for start in range(0, length, BLOCK_BYTES):
        digest.update(stream.read(min(BLOCK_BYTES, length - start)))
    if stream.read() != digest.digest():
        message = "it is damaged"
        raise DamagedError(message)
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as saved:
        return dict(saved)


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    count = sum(name.startswith(prefix) for name in arrays)
    return [arrays[f"{prefix}{index}"] for index in range(count)]
