"""Weights as PyTorch saved them until version 1.5, read without PyTorch.

Such a file is five pickles, one after the other: a magic number, the version of the format, facts
of the machine, the tensors by their names, and the keys of the storages in which their numbers lie.
The storages follow in the order of the keys: of each the count of its numbers, int64, and these.

Source: `_legacy_save` and `_legacy_load` of torch/serialization.py, PyTorch 1.5.
"""

import math
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from imago.core import pickles

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
_COUNT = np.dtype("<i8")
_STORAGES: dict[str, np.dtype[Any]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch HalfStorage": np.dtype("<f2"),
    "torch DoubleStorage": np.dtype("<f8"),
    "torch LongStorage": np.dtype("<i8"),
}
_DICT, _TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"


@dataclass(frozen=True)
class _Storage:
    """Numbers in a row."""

    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage; offset and strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file by their names.

    Raises:
        ValueError: It is no such file, or is damaged.
    """
    with path.open("rb") as file:
        try:
            magic, version, machine, tensors, keys = (_Pickle().load(file) for _ in range(5))
        except (IndexError, ValueError) as error:
            message = f"must be weights as PyTorch saved them until its version 1.5: {error}"
            raise ValueError(message) from error
        if (magic, version) != (MAGIC, VERSION) or not machine.get("little_endian"):
            message = (
                f"must have the magic number {MAGIC}, the version {VERSION} and little-endian "
                f"numbers, got {reprlib.repr((magic, version, machine))}"
            )
            raise ValueError(message)
        if not isinstance(tensors, dict) or not isinstance(keys, list):
            message = "must be a dict of tensors, and a list of the keys of their storages"
            raise ValueError(message)
        found = {name: one for name, one in tensors.items() if isinstance(one, _Tensor)}
        storages = {one.storage.key: one.storage for one in found.values()}
        numbers = {key: _numbers(file, key, storages.get(key)) for key in keys}
    return {name: _array(name, one, numbers) for name, one in found.items()}


class _Pickle(pickles.Pickle):
    """Knows what tensors need."""

    def named(self, name: str) -> Any:
        if name in _STORAGES or name in (_DICT, _TENSOR):
            return name
        return super().named(name)

    def made(self, function: Any, arguments: Any) -> Any:
        match function, arguments:
            case str(), () if function == _DICT:
                return {}
            case (
                str(),
                (_Storage() as storage, int() as offset, tuple() as shape, tuple() as strides, *_),
            ) if function == _TENSOR and _are_whole(offset, *shape, *strides):
                return _Tensor(storage, offset, shape, strides)
        return super().made(function, arguments)

    def built(self, target: Any, state: Any) -> Any:
        if isinstance(target, dict):
            return target  # the state is of the modules that the tensors were in
        return super().built(target, state)

    def referred(self, reference: Any) -> Any:
        match reference:
            case ("storage", str() as kind, str() as key, str(), int() as count, None) if (
                kind in _STORAGES and _are_whole(count)
            ):
                return _Storage(key, _STORAGES[kind], count)
        return super().referred(reference)


def _are_whole(*numbers: Any) -> bool:
    return all(isinstance(number, int) and number >= 0 for number in numbers)


def _numbers(file: BinaryIO, key: Any, storage: _Storage | None) -> NDArray[Any]:
    """Read the next storage."""
    if storage is None:
        message = f"must have a tensor for each storage, got none for {reprlib.repr(key)}"
        raise ValueError(message)
    there = file.read(_COUNT.itemsize)
    count = int.from_bytes(there, "little", signed=True)
    content = file.read(storage.count * storage.dtype.itemsize)
    if count != storage.count or len(content) != storage.count * storage.dtype.itemsize:
        message = (
            f"must have {storage.count:,} numbers in its storage {key}, got {count:,} of which "
            f"{len(content) // storage.dtype.itemsize:,} are there"
        )
        raise ValueError(message)
    return np.frombuffer(content, storage.dtype)


def _array(name: str, tensor: _Tensor, numbers: dict[Any, NDArray[Any]]) -> NDArray[Any]:
    """Return a tensor's numbers in its shape."""
    row = numbers.get(tensor.storage.key)
    spans = ((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=False))
    end = tensor.offset + sum(spans) + 1
    wanted = math.prod(tensor.shape)
    if row is None or len(tensor.shape) != len(tensor.strides) or max(end, wanted) > len(row):
        message = f"{name}: must lie within its storage {tensor.storage.key}"
        raise ValueError(message)
    strides = [step * row.itemsize for step in tensor.strides]
    view = np.lib.stride_tricks.as_strided(row[tensor.offset :], tensor.shape, strides)
    return np.ascontiguousarray(view).reshape(tensor.shape)
