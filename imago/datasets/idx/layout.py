"""The IDX layout, in which MNIST and its kin are published.

A file is a header and then raw values, the last dimension fastest. The header, big-endian: two
zero bytes, a byte for the type of the values, a byte for the number of dimensions, and the size
of each dimension as a 32-bit integer.

Source: Yann LeCun, http://yann.lecun.com/exdb/mnist/, "File formats for the MNIST database".
"""

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imago.core.errors import DataError
from imago.data import arrays, writing
from imago.datasets.idx.settings import Pair, Settings

UNSIGNED_BYTE = 0x08
TYPES = {
    UNSIGNED_BYTE: "unsigned byte",
    0x09: "signed byte",
    0x0B: "short",
    0x0C: "int",
    0x0D: "float",
    0x0E: "double",
}
GZIP_MAGIC = b"\x1f\x8b"


def extract(settings: Settings, source: Path, target: Path) -> arrays.Info:
    """Check the files in `source`, see `read`, and write their splits into `target`."""
    return writing.dataset(target, read(settings, source))


def read(settings: Settings, folder: Path) -> arrays.Dataset:
    """Read the published files, checked; images are memory-mapped.

    Args:
        settings: The data set's section of params.yaml.
        folder: Holds the files, uncompressed, under the names in `settings`.

    Returns:
        The splits, grayscale: images (N, H, W, 1) uint8, 0-255.

    Raises:
        DataError: A file is missing or breaks a rule of the format, or the files do not agree.
    """
    extract = settings.extract
    train = _read_split(folder, extract.train, extract.classes)
    test = _read_split(folder, extract.test, extract.classes)
    if test.images.shape[1:] != train.images.shape[1:]:
        message = (
            f"{folder / extract.test.images}: images must be {_size(train.images)} pixels, as in "
            f"{extract.train.images}, got {_size(test.images)}; the files must be of one data set"
        )
        raise DataError(message)
    if absent := sorted(set(range(len(extract.classes))) - set(train.labels.tolist())):
        message = (
            f"{folder / extract.train.labels}: must have every class, got no image of "
            f"{', '.join(extract.classes[label] for label in absent)}; check the classes in "
            "params.yaml"
        )
        raise DataError(message)
    return arrays.Dataset(tuple(extract.classes), train, test)


def _read_split(folder: Path, pair: Pair, classes: Sequence[str]) -> arrays.Split:
    images = _map(folder / pair.images, dimensions=3)
    labels = _map(folder / pair.labels, dimensions=1)
    path = folder / pair.labels
    if len(labels) != len(images):
        message = (
            f"{path}: must have {len(images)} labels, one for each image of {pair.images}, "
            f"got {len(labels)}; the two files must be of one split"
        )
        raise DataError(message)
    if labels.max() >= len(classes):
        first = int(np.argmax(labels >= len(classes)))
        message = (
            f"{path}: labels must be 0 to {len(classes) - 1}, got {labels[first]} at position "
            f"{first}; check the classes in params.yaml"
        )
        raise DataError(message)
    return arrays.Split(images[..., np.newaxis], labels.astype(np.int32))


def _map(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Map the values of a file into memory: uint8, in `dimensions` dimensions."""
    shape = _read_shape(path, dimensions)
    header_bytes = 4 + 4 * dimensions
    expected, found = header_bytes + math.prod(shape), path.stat().st_size
    if found != expected:
        fault = "it is truncated" if found < expected else "something follows the values"
        message = (
            f"{path}: must be {expected} bytes long for its dimensions {_times(shape)}, "
            f"got {found}; {fault}: fetch it again"
        )
        raise DataError(message)
    return np.memmap(path, np.uint8, mode="r", offset=header_bytes, shape=shape)


def _read_shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """Read the header: the size of each dimension."""
    header_bytes = 4 + 4 * dimensions
    try:
        with path.open("rb") as file:
            header = file.read(header_bytes)
    except FileNotFoundError as error:
        message = f"{path}: not found; fetch the data set"
        raise DataError(message) from error
    if fault := _fault_in_magic(header[:4], dimensions):
        message = f"{path}: {fault}"
        raise DataError(message)
    if len(header) < header_bytes:
        message = (
            f"{path}: must begin with a header of {header_bytes} bytes, got {len(header)} bytes; "
            "it is truncated: fetch it again"
        )
        raise DataError(message)
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if 0 in shape:
        message = f"{path}: must not be empty, got dimensions {_times(shape)}; fetch it again"
        raise DataError(message)
    return shape


def _fault_in_magic(magic: bytes, dimensions: int) -> str | None:
    if magic.startswith(GZIP_MAGIC):
        return "must be uncompressed, got a gzip file; unpack it with gunzip"
    if len(magic) < 4:
        return f"must begin with a header, got {len(magic)} bytes in all; fetch it again"
    zeros, kind, found = magic[:2], magic[2], magic[3]
    if zeros != bytes(2) or kind not in TYPES:
        return (
            f"must be an IDX file, which begins with 00 00 08, got {magic.hex(' ')}; check that "
            "params.yaml names the right file"
        )
    if kind != UNSIGNED_BYTE:
        return (
            f"values must be of type {TYPES[UNSIGNED_BYTE]} (0x{UNSIGNED_BYTE:02x}), "
            f"got {TYPES[kind]} (0x{kind:02x}); convert them"
        )
    if found != dimensions:
        return (
            f"must have {dimensions} dimension{'s' * (dimensions > 1)}, got {found}; images have "
            "3 and labels 1: check that params.yaml does not name one for the other"
        )
    return None


def _size(images: NDArray[np.uint8]) -> str:
    return _times(images.shape[1:3])


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))
