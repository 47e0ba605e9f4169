"""Arrays that lie in several files, read as one along the first axis.

Shards are of one size in bytes, but for the last, so that many processes can write them, one that
was killed goes on after those it finished, and a store keeps those that did not change once.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

OPEN_FILES = 65_536
"""As many as Linux maps into one process."""

Place = tuple[Path, np.dtype[Any], int, tuple[int, ...]]
"""A file, and the type, offset in bytes and shape of the array in it."""


class Shards:
    """A view of mapped arrays, (n, ...) each, as one of (N, ...); threads may share it.

    Rows are read when they are asked for, by a position or an array of positions, or when a view
    becomes an array; a slice is a view again.
    """

    def __init__(self, parts: Sequence[NDArray[Any]], places: Sequence[Place], rows: range) -> None:
        self._parts, self._per_part = parts, len(parts[0])
        self._places, self._rows = places, rows
        self.shape = (len(self._rows), *parts[0].shape[1:])
        self.dtype, self.ndim = parts[0].dtype, parts[0].ndim
        self.itemsize = self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all rows."""
        return int(np.prod(self.shape)) * self.itemsize

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle where they lie."""
        return _mapped_again, (self._places, self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, wanted: int | slice | ArrayLike) -> Any:
        if isinstance(wanted, slice):
            return Shards(self._parts, self._places, self._rows[wanted])
        if isinstance(wanted, int | np.integer):
            row = self._rows[int(wanted)]
            return self._parts[row // self._per_part][row % self._per_part]
        positions = np.asarray(wanted)
        if len(positions) and not -len(self) <= positions.min() <= positions.max() < len(self):
            message = f"positions must be of {len(self)} rows, got {positions.min()} to "
            raise IndexError(message + str(positions.max()))
        positions = np.where(positions < 0, positions + len(self), positions)
        return self._read(self._rows.start + self._rows.step * positions)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            message = "shards lie in several files, and so are an array in a copy only"
            raise ValueError(message)
        return np.asarray(self._read(np.asarray(self._rows)), dtype)

    def _read(self, rows: NDArray[np.integer]) -> NDArray[Any]:
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        numbers, within = np.divmod(rows, self._per_part)
        for to, (number, row) in enumerate(zip(numbers.tolist(), within.tolist(), strict=True)):
            found[to] = self._parts[number][row]
        return found


def cut(
    blocks: Iterable[NDArray[Any]], rows: int, per_shard: int
) -> Iterator[Iterator[NDArray[Any]]]:
    """Yield the blocks of each shard, each to be taken before the next; blocks are cut to fit.

    Args:
        blocks: (n, ...), N rows in all.
        rows: N; a block too many goes to the last shard.
        per_shard: Rows in each shard but the last.
    """
    stream = iter(blocks)
    held: list[NDArray[Any]] = []

    def of_shard(wanted: float) -> Iterator[NDArray[Any]]:
        while wanted > 0:
            block = held.pop() if held else next(stream, None)
            if block is None:
                return
            if len(block) > wanted:
                held.append(block[int(wanted) :])
                block = block[: int(wanted)]
            wanted -= len(block)
            yield block

    for start in range(0, rows, per_shard):
        is_last = start + per_shard >= rows
        yield of_shard(float("inf") if is_last else per_shard)


def file_name(name: str, number: int) -> str:
    """Return what a shard, counted from 0, is called: images-00000.npy, say."""
    stem, _, ending = name.partition(".")
    return f"{stem}-{number:05}.{ending}"


def place(mapped: Any) -> Place:
    """Say where an array is mapped from, for another process."""
    return Path(str(mapped.filename)).absolute(), mapped.dtype, mapped.offset, mapped.shape


def let_many_be_open() -> None:
    """Raise the number of files that this process may have open, often 1,024 at first.

    A shard that is mapped or read is one of them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError):  # of macOS, which has a limit that it does not tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def joined(mapped: Sequence[NDArray[Any]]) -> Shards:
    """Return a view of mapped arrays, (n, ...), all of one length but the last."""
    # Plain arrays of the same pages: a row of NumPy's class of maps takes three times as long.
    parts = [part.view(np.ndarray) for part in mapped]
    return Shards(parts, [place(part) for part in mapped], range(sum(map(len, parts))))


def _mapped_again(places: Sequence[Place], rows: range) -> Shards:
    let_many_be_open()
    whole = joined([map_again(one) for one in places])
    return Shards(whole._parts, places, rows)


def map_again(place: Place) -> NDArray[Any]:
    """Map the array that `place` has told of."""
    path, dtype, offset, shape = place
    return np.memmap(path, dtype, "r", offset, shape)
