"""Splits on disk, packed and memory-mapped: what is not looked at is not read.

    <folder>/dataset.json          Info: class names, image shape, and what each split holds
    <folder>/<split>/images.npy    (N, H, W, C) uint8, 0-255; C is 1, grayscale, or 3, RGB
    <folder>/<split>/labels.npy    (N,) int32, positions in the class names
    <folder>/test/identities.npy   (N,) uint64, of the extracted images; in prepared data

Photos of many sizes stand in images.pack instead (see imago.photos.packs), and in a folder of
features images.npy holds what a backbone made of each image, (N, F) float32. More than SHARD_BYTES
of images stand in shards, images-00000.npy and on, which are read as one array.

`imago.data.writing` writes them.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from imago.core import files
from imago.core.errors import DataError
from imago.data import npy, shards

DESCRIPTION, IMAGES, LABELS = "dataset.json", "images.npy", "labels.npy"
IDENTITIES, PACK = "identities.npy", "images.pack"
REMEDY = "delete {folder}, and `dvc checkout {folder}` brings it back from the DVC cache"
BLOCK_BYTES = 8 * 2**20
"""Pixels held at a time: enough for whole-array arithmetic, little beside any machine's memory."""

SplitName = Literal["train", "validation", "test"]
ImageShape = tuple[int, int, int]
"""(H, W, C) in pixels and channels."""
Shape = ImageShape | tuple[int]
"""An ImageShape, or (F,), of an image's features."""
Labels = NDArray[np.int32]
Identities = NDArray[np.uint64]
"""Digests of images as they were extracted: the same for every variant, whatever its size."""


@dataclass(frozen=True)
class Statistics:
    """Of all pixels of the training split, 0-255, one value for each channel."""

    mean: list[float]
    variance: list[float]


@dataclass(frozen=True)
class Split:
    """Images and their labels, in the same order.

    Attributes:
        images: (N, H, W, C) uint8, 0-255; or their features, (N, F) float32. Of several files it
            is a `Shards`, from which rows are taken as from an array.
        labels: (N,) int32, positions in the class names.
    """

    images: NDArray[Any]
    labels: Labels


@dataclass(frozen=True)
class Dataset:
    """What a layout makes of a publisher's files; the validation split is drawn later."""

    classes: tuple[str, ...]
    train: Split
    test: Split


@dataclass(frozen=True)
class SplitInfo:
    """What a split holds."""

    examples: int
    examples_per_class: dict[str, int]
    images_sha256: str | tuple[str, ...]
    """Of the file, or of each shard."""
    labels_sha256: str
    identities_sha256: str | None = None
    """Of the test split in prepared data."""


@dataclass(frozen=True)
class Info:
    """The content of dataset.json."""

    classes: tuple[str, ...]
    image_shape: Shape | None
    """Of every image, or of its features; None for packed photos, which have sizes of their own."""
    splits: dict[SplitName, SplitInfo]
    """Only splits that hold images."""
    views: int
    """Augmented copies that follow each training image."""
    statistics: Statistics | None
    """Of the training split; None in extracted data and of features."""

    @property
    def digest(self) -> str:
        """Identify the data: a sha256 over this description, which holds that of each array."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self)).encode()).hexdigest()

    def step(self, split: SplitName) -> int:
        """Return how many images stand for each of a split: it, and in training its copies."""
        return 1 + self.views if split == "train" else 1

    def summary(self) -> str:
        """Say the splits in one line, such as `60,000 train, 10,000 test images of 28×28×1`."""
        counts = ", ".join(f"{split.examples:,} {name}" for name, split in self.splits.items())
        of_shape = f" of {npy.times(self.image_shape)}" if self.image_shape else ""
        return f"{counts} images{of_shape}"


def read_info(folder: Path) -> Info:
    """Read the description of the splits in `folder`.

    Raises:
        DataError: dataset.json is missing or is not what `imago.data.writing` writes.
    """
    path = folder / DESCRIPTION
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        message = (
            f"{path}: not found; run the stage that writes {folder}, or, if a DVC remote has it, "
            f"`dvc pull {folder}`"
        )
        raise DataError(message) from error
    try:
        return TypeAdapter(Info).validate_json(text, strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"])) or "the file"
        message = (
            f"{path}: {key} must describe splits: {fault['msg']}; "
            f"run the stage that writes {folder} again"
        )
        raise DataError(message) from error


def verify(folder: Path, *splits: SplitName) -> None:
    """Compare every byte of splits with the digests in dataset.json.

    DVC believes a file whose size and times it knows, so that damage on a disk passes it by.

    Args:
        folder: Holds the splits.
        splits: Their names; those that `folder` has none of are passed over.

    Raises:
        DataError: A file is not the one that was written, or missing.
    """
    info = read_info(folder)
    expected = {
        path: digest
        for split in splits
        if split in info.splits
        for path, digest in _digests(folder / split, info.splits[split]).items()
    }
    with ThreadPoolExecutor() as pool:  # whose digests let others run beside
        for path, found in zip(expected, pool.map(_sha256, expected), strict=True):
            if found != expected[path]:
                message = (
                    f"{path}: damaged since it was written: its sha256 is {found}, {DESCRIPTION} "
                    f"has {expected[path]}; {REMEDY.format(folder=folder)}"
                )
                raise DataError(message)


def _digests(folder: Path, info: SplitInfo) -> dict[Path, str]:
    name = IMAGES if any(folder.glob(IMAGES.replace(".", "*."))) else PACK
    digests = {folder / LABELS: info.labels_sha256}
    digests |= dict(zip(image_files(folder, name, info), _each(info.images_sha256), strict=True))
    if info.identities_sha256:
        digests[folder / IDENTITIES] = info.identities_sha256
    return digests


def image_files(folder: Path, name: str, info: SplitInfo) -> list[Path]:
    """Return the files that hold a split's images: one of this name, or its shards."""
    if isinstance(info.images_sha256, str):
        return [folder / name]
    return [folder / shards.file_name(name, number) for number in range(len(info.images_sha256))]


def _each(digests: str | tuple[str, ...]) -> tuple[str, ...]:
    return (digests,) if isinstance(digests, str) else digests


def _sha256(path: Path) -> str:
    try:
        return files.sha256(path)
    except FileNotFoundError as error:
        message = f"{path}: not found; run the stage that writes it again"
        raise DataError(message) from error


def read_split(folder: Path, split: SplitName) -> Split:
    """Map a split into memory; a page of it is read when it is first looked at.

    Raises:
        DataError: The split is missing, or an array is not what dataset.json says.
    """
    info = read_info(folder)
    if split not in info.splits:
        message = f"{folder}: has no {split} split, only {', '.join(info.splits)}"
        raise DataError(message)
    if info.image_shape is None:
        message = f"{folder}: must hold images of one shape, got packed photos"
        raise DataError(message)
    return mapped(folder / split, info.splits[split], info.image_shape)


def read_labels(folder: Path, split: SplitName) -> Labels:
    """Map the labels of a split into memory; arguments and errors as of `read_split`."""
    examples = read_info(folder).splits[split].examples
    return npy.mapped(folder / split / LABELS, (examples,), np.int32)


def read_identities(folder: Path, split: SplitName) -> Identities:
    """Map what tells the images of a split apart; arguments and errors as of `read_split`."""
    examples = read_info(folder).splits[split].examples
    return npy.mapped(folder / split / IDENTITIES, (examples,), np.uint64)


def blocks(images: NDArray[Any], rows: NDArray[np.intp] | None = None) -> Iterator[NDArray[Any]]:
    """Go through images, as many at a time as BLOCK_BYTES hold.

    Args:
        images: (N, ...), of any type and shape.
        rows: Positions of the images wanted, in this order; None for all, without a copy.

    Yields:
        (n, ...) with n of 1 or more.
    """
    if rows is None:
        step = _images_per_block(images.shape[1:], images.itemsize)
        starts = range(0, len(images), step)
        yield from (np.asarray(images[start : start + step]) for start in starts)
    else:
        yield from (images[part] for part in row_blocks(rows, images.shape[1:], images.itemsize))


def row_blocks(
    rows: NDArray[np.intp], shape: Shape, item_bytes: int = 1
) -> Iterator[NDArray[np.intp]]:
    """Divide positions into as many at a time as BLOCK_BYTES hold images of `shape`."""
    step = _images_per_block(shape, item_bytes)
    yield from (rows[start : start + step] for start in range(0, len(rows), step))


def _images_per_block(shape: Shape, item_bytes: int) -> int:
    return max(1, BLOCK_BYTES // (math.prod(shape) * item_bytes))


def dtype(shape: Shape) -> type[np.generic]:
    """Return the type of the numbers in images, or in features, of a shape."""
    return np.float32 if len(shape) == 1 else np.uint8  # features are vectors, images are not


def mapped(folder: Path, info: SplitInfo, shape: Shape) -> Split:
    """Map the arrays of a split in its own folder, as `read_split` does."""
    *first, last = image_files(folder, IMAGES, info)
    kind = dtype(shape)
    if first:
        shards.let_many_be_open()
    parts = [npy.mapped(path, (npy.ANY, *shape), kind) for path in first]
    # The last has what is left, so that a file of another split is found out.
    left = info.examples - sum(map(len, parts))
    parts.append(npy.mapped(last, (left, *shape), kind))
    labels = npy.mapped(folder / LABELS, (info.examples,), np.int32)
    return Split(as_one(parts), labels)


def as_one(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return mapped arrays, (n, ...), as one: itself, or a `Shards`."""
    return parts[0] if len(parts) == 1 else cast("NDArray[Any]", shards.joined(parts))
