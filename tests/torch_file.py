"""Weights in the form in which PyTorch saved them until version 1.5, written without PyTorch."""

import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


def of_lite(name: str) -> dict[str, np.ndarray]:
    """Return random weights of an EfficientNet-Lite, under the names that PyTorch has for them."""
    from imago.backbones import efficientnet_lite  # here, for it builds a net of Keras

    shapes: dict[str, tuple[int, ...]] = {}
    for layer in efficientnet_lite.untrained(name, (64, 64, 3)).layers:
        shapes |= dict(efficientnet_lite.tensors(layer)) if layer.weights else {}
    shapes |= {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}  # of the head, which is not read
    return random(shapes)


def random(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return random weights by their names, through which a signal neither fades nor swells."""
    return {name: _random(index, name, shapes[name]) for index, name in enumerate(sorted(shapes))}


def _random(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if len(shape) == 4:  # of a convolution: outputs, inputs, height, width
        values = generator.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    elif name.endswith((".weight", ".running_var")):
        values = generator.uniform(0.5, 1.5, shape)
    else:
        values = generator.normal(0, 0.1, shape)
    return values.astype(np.float32)


def write(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write tensors of float32, each in a storage of its own."""
    with path.open("wb") as file, _torch() as torch:
        for value in (MAGIC, VERSION, {"protocol_version": VERSION, "little_endian": True}):
            pickle.dump(value, file, protocol=2)
        _Pickler(file, torch).dump(OrderedDict(tensors))
        pickle.dump(list(tensors), file, protocol=2)
        for tensor in tensors.values():
            file.write(tensor.size.to_bytes(8, "little") + tensor.astype("<f4").tobytes())


class _Storage:
    def __init__(self, key: str, count: int) -> None:
        self.key, self.count = key, count


@contextmanager
def _torch() -> Iterator[types.ModuleType]:
    """Let modules with the names that such a file mentions seem to be there."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def rebuild(*_: Any) -> None:
        """Stand for the function that makes a tensor."""

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    modules = {"torch": torch, "torch._utils": utils}
    sys.modules.update(modules)
    try:
        yield torch
    finally:
        for name in modules:
            del sys.modules[name]


class _Pickler(pickle.Pickler):
    """Pickles arrays as PyTorch does tensors, which name where their numbers lie."""

    def __init__(self, file: Any, torch: types.ModuleType) -> None:
        super().__init__(file, protocol=2)
        self._torch, self._rebuild = torch, sys.modules["torch._utils"]._rebuild_tensor_v2
        self._keys: dict[int, str] = {}

    def dump(self, value: Any) -> None:
        self._keys = {id(tensor): key for key, tensor in value.items()}
        super().dump(value)

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, _Storage):
            return ("storage", self._torch.FloatStorage, value.key, "cpu", value.count, None)
        return None

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return NotImplemented
        strides = tuple(step // value.itemsize for step in value.strides)
        storage = _Storage(self._keys[id(value)], value.size)
        return self._rebuild, (storage, 0, value.shape, strides, False, OrderedDict())
