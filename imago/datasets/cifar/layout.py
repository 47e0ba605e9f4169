"""The CIFAR layout: a .tar.gz of pickles, in which CIFAR-10 and CIFAR-100 are published.

A pickle of images is a dict: `data` is (N, 3·n·n) uint8, in each row the red, then the green, then
the blue pixels of an image, row by row; beside it stand one or more lists of N labels. Another
pickle, the meta member, has a list of class names for each list of labels.

No pickle is trusted; see imago.datasets.cifar.pickles.

Source: Alex Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, "Dataset layout".
"""

import gzip
import math
import reprlib
import tarfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from imago.core import tars
from imago.core.errors import DataError
from imago.data import arrays, writing
from imago.datasets.cifar import pickles
from imago.datasets.cifar.settings import Settings

T = TypeVar("T")

MEMBER_BYTES = 2**28
"""A member has at most so many; the greatest published one, of CIFAR-100, has 155 million."""
ARCHIVE_BYTES = 2**30
"""An archive has at most so many, unpacked; the published ones have 187 million."""


def extract(settings: Settings, source: Path, target: Path) -> arrays.Info:
    """Check the archive in `source`, see `read`, and write its splits into `target`."""
    return writing.dataset(target, read(settings, source))


def read(settings: Settings, folder: Path) -> arrays.Dataset:
    """Read the published archive, checked; nothing is unpacked to disk.

    Args:
        settings: The data set's section of params.yaml.
        folder: Holds the archive.

    Returns:
        The splits: images (N, n, n, 3) uint8, RGB, 0-255.

    Raises:
        DataError: The archive is missing, broken or too large, it lacks a member or has one
            twice, a pickle holds what the layout does not, or the members do not agree.
    """
    wanted = settings.extract
    path = folder / wanted.archive
    records = _read_records(path, wanted.members)
    classes = _classes(f"{path}: {wanted.meta}", records[wanted.meta], wanted.names)
    parts = {
        name: _part(f"{path}: {name}", records.pop(name), wanted.labels, classes)
        for name in (*wanted.train, *wanted.test)
    }
    _check_sizes(path, parts)
    train, test = (
        _joined([parts.pop(name) for name in names]) for names in (wanted.train, wanted.test)
    )
    if absent := sorted(set(range(len(classes))) - set(train.labels.tolist())):
        message = (
            f"{path}: the training members must have every class, got no image of "
            f"{', '.join(classes[label] for label in absent)}; check the members in params.yaml"
        )
        raise DataError(message)
    return arrays.Dataset(classes, train, test)


def _joined(parts: Sequence[arrays.Split]) -> arrays.Split:
    return arrays.Split(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def _check_sizes(path: Path, parts: Mapping[str, arrays.Split]) -> None:
    first, side = next((name, part.images.shape[1]) for name, part in parts.items())
    for name, part in parts.items():
        if (found := part.images.shape[1]) != side:
            message = (
                f"{path}: {name}: images must be {side}×{side} pixels, as in {first}, "
                f"got {found}×{found}; the members must be of one data set"
            )
            raise DataError(message)


def _classes(where: str, record: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = _entry(where, record, key, list)
    unique = {name for name in names if isinstance(name, str) and name}
    if not 2 <= len(names) == len(unique):
        message = (
            f"{where}: {key} must be two or more names, each once, got {len(names)} entries with "
            f"{len(unique)} names; fetch it again"
        )
        raise DataError(message)
    return tuple(names)


def _part(
    where: str, record: Mapping[str, Any], key: str, classes: Collection[str]
) -> arrays.Split:
    """Return the images and labels of a member."""
    images = _images(where, _entry(where, record, "data", pickles.ByteMatrix))
    labels = _entry(where, record, key, list)
    if len(labels) != len(images):
        message = (
            f"{where}: must have {len(images)} {key}, one for each row of data, "
            f"got {len(labels)}; fetch it again"
        )
        raise DataError(message)
    for position, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < len(classes):
            found = label if type(label) is int else f"a {type(label).__name__}"
            message = (
                f"{where}: {key} must be 0 to {len(classes) - 1}, got {found} at position "
                f"{position}; check that labels and names in params.yaml belong together"
            )
            raise DataError(message)
    return arrays.Split(images, np.array(labels, np.int32))


def _images(where: str, data: pickles.ByteMatrix) -> NDArray[np.uint8]:
    """Return (N, n, n, 3) uint8, a view of the planes."""
    rows, columns = data.shape
    side = math.isqrt(columns // 3)
    if not data.text or columns != 3 * side**2:
        message = (
            f"{where}: data must be rows of 3·n·n bytes, such as 3072 where n is 32, "
            f"got {rows}×{columns}; check the members in params.yaml"
        )
        raise DataError(message)
    try:
        content = data.text.encode("latin-1")
    except UnicodeEncodeError as error:
        message = f"{where}: data must be bytes, got other characters; fetch it again"
        raise DataError(message) from error
    matrix = np.frombuffer(content, np.uint8).reshape(data.shape, order=data.order)
    return matrix.reshape(rows, 3, side, side).transpose(0, 2, 3, 1)


def _entry(where: str, record: Mapping[str, Any], key: str, kind: type[T]) -> T:
    value = record.get(key)
    if not isinstance(value, kind):
        what = {pickles.ByteMatrix: "an array", list: "a list"}[kind]
        message = (
            f"{where}: must have {what} {key}, got only {reprlib.repr([*record])}; "
            "check the names in params.yaml"
        )
        raise DataError(message)
    return value


def _read_records(path: Path, wanted: Collection[str]) -> dict[str, dict[str, Any]]:
    """Read members, each a pickle of a dict."""
    records: dict[str, dict[str, Any]] = {}
    try:
        for name, content in _members(path, wanted):
            if name in records:
                message = f"{path}: must have one member {name}, got another in a second folder"
                raise DataError(message)
            records[name] = pickles.read(f"{path}: {name}", content)
    except FileNotFoundError as error:
        message = f"{path}: not found; fetch the data set"
        raise DataError(message) from error
    except (EOFError, gzip.BadGzipFile, tarfile.HeaderError, zlib.error) as error:
        message = f"{path}: must be a whole .tar.gz file: {error}; fetch it again"
        raise DataError(message) from error
    if absent := [name for name in wanted if name not in records]:
        message = (
            f"{path}: must have the members {', '.join(wanted)}, got no {', '.join(absent)}; "
            "check the names in params.yaml"
        )
        raise DataError(message)
    return records


def _members(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the regular files of these names, in any folder, and their contents."""
    with gzip.open(path) as stream:
        for member in tars.regular_files(stream, ARCHIVE_BYTES):
            name = PurePosixPath(member.name).name
            if name not in wanted:
                continue
            if member.size > MEMBER_BYTES:
                message = f"{name!r} must have 0 to {MEMBER_BYTES:,} bytes, got {member.size:,}"
                raise tarfile.HeaderError(message)
            content = stream.read(member.size)
            if len(content) < member.size:
                message = f"{name} has {len(content)} of {member.size} bytes"
                raise EOFError(message)
            yield name, content
