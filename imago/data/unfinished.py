"""The finished shards of a folder that is not whole yet.

They are kept beside it, so that a stage which is killed goes on after them, and so that workers of
a cluster write them side by side.
"""

import contextlib
import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.core import files, paths, progress, workers
from imago.data import npy, shards

Make = Callable[[], Iterable[NDArray[Any]]]
"""Gives blocks of images, (n, ...); can be pickled for a cluster, with absolute paths."""
Between = Callable[[int, int], Make]
"""Says how the images of a split from one position to before another are made."""


@dataclass
class Unfinished:
    """Keeps shards until all are there.

    Attributes:
        target: The folder that they are for.
        made_of: All that they depend on beside the code, a JSON value.
        found: Of each split that was looked for, its first ones, and their digests.
    """

    target: Path
    made_of: Any
    found: dict[str, dict[Path, str]] = field(default_factory=dict)

    @functools.cached_property
    def folder(self) -> Path:
        """Holds them, under names with their sha256, and is for these very data alone."""
        key = hashlib.sha256(json.dumps([self.made_of, workers.fingerprint()]).encode())
        return paths.unfinished(self.target) / key.hexdigest()[:16]

    def find(self, split: str, name: str) -> list[Path]:
        """Return the first shards of a split, of files called `name`, that are whole."""
        there, here = self._listed(), self.found.setdefault(split, {})
        for number in range(len(here), len(there)):
            path = there.get(f"{split}-{shards.file_name(name, number)}")
            if path is None or files.sha256(path) != path.suffix[1:]:
                break
            here[path] = path.suffix[1:]
        return list(here)

    def keep(self, split: str, path: Path, digest: str) -> None:
        """Keep a shard that was written; it takes no room of its own."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{split}-{path.name}.{digest}"
        target.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a file system without hard links, where none is kept
            os.link(path, target)

    def put(self, split: str, folder: Path, name: str) -> list[str]:
        """Put the shards that were found into a folder, and return the digest of each."""
        here = self.found.get(split, {})
        for number, path in enumerate(here):
            target = folder / shards.file_name(name, number)
            try:
                os.link(path, target)
            except OSError:  # without hard links
                path.replace(target)
        return list(here.values())

    def spread(
        self,
        split: str,
        name: str,
        shape: tuple[int, ...],
        dtype: type[np.generic],
        per_shard: int,
        between: Between,
    ) -> None:
        """Have workers of a cluster write the shards of a split that are not there.

        Args:
            split: Its name.
            name: Of its files, if it had no shards.
            shape: Of the whole split, (N, ...).
            dtype: Of its images.
            per_shard: Images in each shard but the last.
            between: Says how they are made.
        """
        there, tasks = self._listed(), []
        for number, first in enumerate(range(0, shape[0], per_shard)):
            file = f"{split}-{shards.file_name(name, number)}"
            if file not in there:
                last = min(first + per_shard, shape[0])
                form = (last - first, *shape[1:])
                tasks.append((self.folder.absolute() / file, form, dtype, between(first, last)))
        self.folder.mkdir(parents=True, exist_ok=True)
        with progress.bar(f"shards of {split}", len(tasks), "shards") as advance:
            for _ in workers.mapped(_write, tasks):
                advance(1)

    def _listed(self) -> dict[str, Path]:
        return {path.stem: path for path in self.folder.glob("[!.]*")}


def _write(task: tuple[Path, tuple[int, ...], type[np.generic], Make]) -> None:
    path, shape, dtype, make = task
    # In a file of its own, for a worker that was taken for lost may be at the same shard.
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    os.close(descriptor)
    with workers.as_one():
        digest = npy.write(Path(temporary), shape, dtype, make())
    Path(temporary).replace(f"{path}.{digest}")
