"""Splits written to disk, as `imago.data.arrays` reads them.

In blocks, so that memory does not grow with the number of images, and without dates, so that equal
data are equal bytes.
"""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.core import files, paths, workers
from imago.data import arrays, npy, shards
from imago.data.arrays import (
    BLOCK_BYTES,
    DESCRIPTION,
    IDENTITIES,
    IMAGES,
    LABELS,
    Dataset,
    Identities,
    Info,
    Labels,
    Shape,
    Split,
    SplitInfo,
    SplitName,
    Statistics,
)
from imago.data.unfinished import Between, Unfinished

SHARD_BYTES = 32 * BLOCK_BYTES
"""Of images in a file: that of whole images nearest below."""


@dataclass
class Writer:
    """Writes splits into a folder; made by `splits`.

    Attributes:
        statistics: Of the training split, set by whoever knows them.
    """

    folder: Path
    classes: tuple[str, ...]
    image_shape: Shape | None
    views: int = 0
    statistics: Statistics | None = None
    splits: dict[SplitName, SplitInfo] = dataclasses.field(default_factory=dict)
    unfinished: Unfinished | None = None

    @property
    def info(self) -> Info:
        """Describe what was added so far."""
        return Info(self.classes, self.image_shape, self.splits, self.views, self.statistics)

    def add(self, split: SplitName, labels: Labels, images: Iterable[NDArray[Any]]) -> Split:
        """Write a split of images of one shape, or of their features.

        Args:
            split: Its name.
            labels: (N,) int32, at least one.
            images: Blocks, (n, H, W, C) uint8 or (n, F) float32, N images in all.

        Returns:
            What was written, memory-mapped.

        Raises:
            ValueError: The arrays are not of the kind that this folder holds.
        """
        shape = self._shape
        self.put(split, labels, lambda folder: self._write_images(folder, len(labels), images))
        return arrays.mapped(self.folder / split, self.splits[split], shape)

    def finished(
        self, split: SplitName, examples: int, between: Between | None = None
    ) -> NDArray[Any]:
        """Return the first images of a split, (n, ...), that need not be written again.

        Whole shards of them, which a run that was killed had finished; on a cluster workers write
        all others now. `add` then takes the images that follow. None where all are one shard.

        Args:
            split: Its name.
            examples: N, of the whole split.
            between: Says how images from one position to another are made. None: not on a cluster.
        """
        shape = self._shape
        none = np.zeros((0, *shape), arrays.dtype(shape))
        per_shard = _images_per_shard(shape)
        if self.unfinished is None or examples <= per_shard:
            return none
        if between and workers.are_elsewhere():
            whole = (examples, *shape)
            self.unfinished.spread(split, IMAGES, whole, arrays.dtype(shape), per_shard, between)
        found = self.unfinished.find(split, IMAGES)
        shards.let_many_be_open()
        starts = range(0, examples, per_shard)
        parts = [
            npy.mapped(path, (min(per_shard, examples - start), *shape), arrays.dtype(shape))
            for start, path in zip(starts, found, strict=False)
        ]
        return arrays.as_one(parts) if parts else none

    @property
    def _shape(self) -> Shape:
        if self.image_shape is None:
            message = f"{self.folder}: must hold photos, of sizes of their own, got an array"
            raise ValueError(message)
        return self.image_shape

    def _write_images(
        self, folder: Path, examples: int, images: Iterable[NDArray[Any]]
    ) -> str | tuple[str, ...]:
        shape = self._shape
        dtype, per_shard = arrays.dtype(shape), _images_per_shard(shape)
        if examples <= per_shard:
            return npy.write(folder / IMAGES, (examples, *shape), dtype, images)
        split = folder.name
        digests = self.unfinished.put(split, folder, IMAGES) if self.unfinished else []
        left = examples - per_shard * len(digests)
        for blocks_of_shard in shards.cut(images, left, per_shard):
            path = folder / shards.file_name(IMAGES, len(digests))
            rows = min(per_shard, examples - per_shard * len(digests))
            digests.append(npy.write(path, (rows, *shape), dtype, blocks_of_shard))
            if self.unfinished:
                self.unfinished.keep(split, path, digests[-1])
        if left <= 0 and (more := sum(map(len, images))):  # whoever looks at what passes is to end
            message = f"{folder}: must get the images after those that are there, got {more} more"
            raise ValueError(message)
        return tuple(digests)

    def put(
        self,
        split: SplitName,
        labels: Labels,
        write_images: Callable[[Path], str | tuple[str, ...]],
    ) -> None:
        """Write a split by a function that writes N images into its folder.

        It gives their file's sha256, or that of each shard.
        """
        counts = np.bincount(labels, minlength=len(self.classes)).tolist()
        if not len(labels) or len(counts) > len(self.classes):
            message = (
                f"{split}: must have one or more labels of 0 to {len(self.classes) - 1}, "
                f"got {len(labels)} of 0 to {len(counts) - 1}"
            )
            raise ValueError(message)
        folder = self.folder / split
        folder.mkdir()
        self.splits[split] = SplitInfo(
            examples=len(labels),
            examples_per_class=dict(zip(self.classes, counts, strict=True)),
            images_sha256=write_images(folder),
            labels_sha256=npy.write(folder / LABELS, labels.shape, np.int32, [labels]),
        )

    def identify(self, split: SplitName, identities: Identities) -> None:
        """Write what tells the images of a split, added before, apart from one another.

        Raises:
            ValueError: There is not one for each image.
        """
        if len(identities) != self.splits[split].examples:
            message = (
                f"{split}: must have an identity for each of {self.splits[split].examples} images, "
                f"got {len(identities)}"
            )
            raise ValueError(message)
        path = self.folder / split / IDENTITIES
        digest = npy.write(path, identities.shape, np.uint64, [identities])
        self.splits[split] = dataclasses.replace(self.splits[split], identities_sha256=digest)


@contextlib.contextmanager
def splits(
    folder: Path,
    classes: Sequence[str],
    image_shape: Shape | None,
    views: int = 0,
    made_of: Any = None,
) -> Iterator[Writer]:
    """Yield a writer for `folder`, which appears whole when all went well, or not at all.

    Args:
        folder: What stood there before is replaced.
        classes: Names, in the order of the labels.
        image_shape: (H, W, C) of every image in every split, (F,) of its features, or None where
            photos are added.
        views: Augmented copies that follow each training image.
        made_of: All that the images depend on beside the code, a JSON value: with it, finished
            shards are kept until the folder is whole. None: they are not.
    """
    with files.replacing(folder) as temporary:
        temporary.mkdir()
        writer = Writer(temporary, tuple(classes), image_shape, views)
        if made_of is not None:
            writer.unfinished = Unfinished(folder, made_of)
        yield writer
        files.write_json(temporary / DESCRIPTION, dataclasses.asdict(writer.info))
    if made_of is not None:
        files.remove(paths.unfinished(folder))


def dataset(folder: Path, whole: Dataset) -> Info:
    """Write the splits of a data set whose images are of one shape, and describe them."""
    with splits(folder, whole.classes, whole.train.images.shape[1:]) as writer:
        writer.add("train", whole.train.labels, arrays.blocks(whole.train.images))
        writer.add("test", whole.test.labels, arrays.blocks(whole.test.images))
    return writer.info


def _images_per_shard(shape: Shape) -> int:
    return max(1, SHARD_BYTES // (math.prod(shape) * np.dtype(arrays.dtype(shape)).itemsize))
