"""Some of many images, by where they lie: what a task for another process has of them is small."""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.data import shards
from imago.data.shards import Shards


@dataclass(frozen=True)
class Rows:
    """Images at some positions, read when they are asked for.

    Pickled, mapped images become their file's path and photos what they make of themselves; images
    in memory are copied.

    Attributes:
        images: An array, (N, ...), or a sequence of images.
        positions: (n,), in the order in which they are wanted.
    """

    images: Sequence[NDArray[Any]] | NDArray[Any]
    positions: NDArray[np.intp]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for position in self.positions.tolist():
            yield np.asarray(self.images[position])

    def stacked(self) -> NDArray[Any]:
        """Return images that have one shape, (n, ...)."""
        if isinstance(self.images, np.ndarray | Shards):
            return np.ascontiguousarray(self.images[self.positions])
        return np.stack(list(self))

    def __reduce__(self) -> tuple[Any, ...]:
        images = self.images
        if isinstance(images, np.memmap) and isinstance(images.base, mmap.mmap):
            return _mapped, (shards.place(images), self.positions)
        if isinstance(images, np.ndarray):
            return Rows, (self.stacked(), np.arange(len(self.positions)))
        return Rows, (images, self.positions)


def _mapped(place: shards.Place, positions: NDArray[np.intp]) -> Rows:
    return Rows(shards.map_again(place), positions)
