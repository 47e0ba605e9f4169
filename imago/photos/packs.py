"""Photos of many sizes in one file, encoded as they came, decoded when they are asked for.

    <folder>/images.pack    the encoded photos, one after the other
    <folder>/offsets.npy    (N + 1,) int64: where each begins, and where the last one ends

One file and not thousands of small ones, which version control of data is slow with.
"""

from __future__ import annotations

import hashlib
import os
import sys
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from imago.core.errors import DataError
from imago.data import arrays
from imago.data.arrays import PACK, Identities, Labels, SplitName, Writer
from imago.photos import decoding
from imago.photos.decoding import Shrinking

OFFSETS = "offsets.npy"


def add(writer: Writer, split: SplitName, labels: Labels, contents: Iterable[bytes]) -> None:
    """Write a split of encoded photos, holding one at a time in memory.

    Args:
        writer: Of a folder without an image shape.
        split: Its name.
        labels: (N,) int32.
        contents: The bytes of N image files that `decoding.decode` reads.
    """

    def write(folder: Path) -> str:
        digest, offsets = hashlib.sha256(), [0]
        with (folder / PACK).open("wb") as pack:
            for content in contents:
                pack.write(content)
                digest.update(content)
                offsets.append(offsets[-1] + len(content))
        if len(offsets) - 1 != len(labels):
            count = len(offsets) - 1
            message = f"{split}: must have a photo for each of {len(labels)} labels, got {count}"
            raise ValueError(message)
        np.save(folder / OFFSETS, np.array(offsets, np.int64))
        return digest.hexdigest()

    writer.put(split, labels, write)


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
        return Photos(folder / split, shrinking)
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

    def __init__(self, folder: Path, shrinking: Shrinking = decoding.whole) -> None:
        self._folder, self._shrinking = folder, shrinking
        self.path = folder / PACK
        try:
            self._offsets: NDArray[np.int64] = np.load(folder / OFFSETS, allow_pickle=False)
            self._descriptor = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError as error:
            message = f"{error.filename}: not found; run the stage that writes {folder} again"
            raise DataError(message) from error
        except (EOFError, ValueError) as error:  # what NumPy raises for truncated and other files
            remedy = "run the stage that writes it again"
            message = f"{folder / OFFSETS}: must be a whole .npy file: {error}; {remedy}"
            raise DataError(message) from error
        weakref.finalize(self, os.close, self._descriptor)
        found = os.fstat(self._descriptor).st_size
        if found != self._offsets[-1]:
            message = (
                f"{self.path}: must have {self._offsets[-1]} bytes, as {OFFSETS} says, "
                f"got {found}; run the stage that writes it again"
            )
            raise DataError(message)

    def __reduce__(self) -> tuple[type[Self], tuple[Path, Shrinking]]:
        """Pickle where they lie."""
        return type(self), (self._folder.absolute(), self._shrinking)

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
        return os.pread(self._descriptor, end - start, start)
