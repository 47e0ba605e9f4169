"""Photos of many sizes in one file, encoded as they came, decoded when they are asked for.

    <folder>/images.pack    the encoded photos, one after the other
    <folder>/offsets.npy    (N + 1,) int64: where each begins, and where the last one ends

One file and not thousands of small ones, which version control of data is slow with. What is more
than SHARD_BYTES goes on in another file, images-00000.pack and on; the offsets are those in all of
them one after the other.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import os
import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from imago.core.errors import DataError
from imago.data import arrays, npy, shards, writing
from imago.data.arrays import PACK, Identities, Labels, SplitName
from imago.photos import decoding
from imago.photos.decoding import Shrinking

OFFSETS = "offsets.npy"


def add(
    writer: writing.Writer, split: SplitName, labels: Labels, contents: Iterable[bytes]
) -> None:
    """Write a split of encoded photos, holding one at a time in memory.

    Args:
        writer: Of a folder without an image shape.
        split: Its name.
        labels: (N,) int32.
        contents: The bytes of N image files that `decoding.decode` reads.
    """

    def write(folder: Path) -> str | tuple[str, ...]:
        offsets, digests = [0], []
        for path, shard in _shards(folder, contents):
            digest = hashlib.sha256()
            with path.open("wb") as pack:
                for content in shard:
                    pack.write(content)
                    digest.update(content)
                    offsets.append(offsets[-1] + len(content))
            digests.append(digest.hexdigest())
        if len(digests) > 1:
            (folder / PACK).replace(folder / shards.file_name(PACK, 0))
        if len(offsets) - 1 != len(labels):
            count = len(offsets) - 1
            message = f"{split}: must have a photo for each of {len(labels)} labels, got {count}"
            raise ValueError(message)
        np.save(folder / OFFSETS, np.array(offsets, np.int64))
        return digests[0] if len(digests) == 1 else tuple(digests)

    writer.put(split, labels, write)


def _shards(folder: Path, contents: Iterable[bytes]) -> Iterator[tuple[Path, Iterator[bytes]]]:
    """Yield the files, and the photos of each, which are to be taken before the next."""
    stream = iter(contents)
    held = list(itertools.islice(stream, 1))

    def of_shard() -> Iterator[bytes]:
        length = 0
        while held and (not length or length + len(held[0]) <= writing.SHARD_BYTES):
            length += len(held[0])
            yield held.pop()
            held.extend(itertools.islice(stream, 1))

    for number in itertools.count():
        yield folder / (shards.file_name(PACK, number) if number else PACK), of_shard()
        if not held:
            return


def read_images(
    folder: Path, split: SplitName, shrinking: Shrinking = decoding.whole
) -> Photos | NDArray[np.uint8]:
    """Return a split's images, packed photos or an array; errors as of `arrays.read_split`.

    Args:
        folder: Of the data set.
        split: Its name.
        shrinking: How much smaller each will be made; photos are decoded as far as that needs.
    """
    info = arrays.read_info(folder)
    if info.image_shape is None and split in info.splits:
        return Photos(arrays.image_files(folder / split, PACK, info.splits[split]), shrinking)
    return arrays.read_split(folder, split).images


def identities(images: Photos | NDArray[np.uint8], rows: NDArray[np.intp]) -> Identities:
    """Return the first 64 bits of the sha256 of each image: a photo's as encoded, else its pixels'.

    Args:
        images: What `read_images` gave.
        rows: Positions of the images wanted, in this order.
    """

    def content(row: int) -> bytes:
        return images.content(row) if isinstance(images, Photos) else images[row].tobytes()

    digests = [hashlib.sha256(content(row)).digest()[:8] for row in rows.tolist()]
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


class Photos(Sequence[NDArray[np.uint8]]):
    """The photos that `write` wrote, each (H, W, 3) uint8, RGB, 0-255; threads may share it.

    Read by position and not mapped, so that memory does not grow with the number of photos.
    """

    def __init__(self, packs: Sequence[Path], shrinking: Shrinking = decoding.whole) -> None:
        self.packs, self._shrinking = packs, shrinking
        folder = packs[0].parent
        if len(packs) > 1:
            shards.let_many_be_open()
        self._offsets: NDArray[np.int64] = npy.mapped(folder / OFFSETS, (npy.ANY,), np.int64)
        try:
            self._descriptors = [_opened(self, path) for path in packs]
        except FileNotFoundError as error:
            message = f"{error.filename}: not found; run the stage that writes {folder} again"
            raise DataError(message) from error
        sizes = [os.fstat(descriptor).st_size for descriptor in self._descriptors]
        self._starts = [0, *itertools.accumulate(sizes)]
        if self._starts[-1] != self._offsets[-1]:
            wanted = self._offsets[-1] - self._starts[-2]
            message = (
                f"{packs[-1]}: must have {wanted} bytes, as {OFFSETS} says, got {sizes[-1]}; "
                "run the stage that writes it again"
            )
            raise DataError(message)

    def __reduce__(self) -> tuple[type[Self], tuple[list[Path], Shrinking]]:
        """Pickle where they lie."""
        return type(self), ([path.absolute() for path in self.packs], self._shrinking)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, row: int) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, row: slice) -> list[NDArray[np.uint8]]: ...
    def __getitem__(self, row: int | slice) -> NDArray[np.uint8] | list[NDArray[np.uint8]]:
        """Decode one photo, or several."""
        if isinstance(row, slice):
            return [self[index] for index in range(*row.indices(len(self)))]
        # Its size was checked before it was packed.
        content = self.content(row)
        return decoding.decode_for(content, sys.maxsize, self._shrinking).pixels

    def content(self, row: int) -> bytes:
        """Read one photo as it was encoded."""
        index = range(len(self))[row]
        start, end = self._offsets[index : index + 2].tolist()
        number = bisect.bisect_right(self._starts, start) - 1
        return os.pread(self._descriptors[number], end - start, start - self._starts[number])


def _opened(owner: Photos, path: Path) -> int:
    """Open a file for reading until its owner is gone."""
    descriptor = os.open(path, os.O_RDONLY)
    weakref.finalize(owner, os.close, descriptor)
    return descriptor
