"""What stands beside extracted photos: tables of what became of each file, as CSV."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from imago.core import files
from imago.data import index
from imago.data.arrays import SplitName
from imago.datasets.image_folder.inspection import Photo
from imago.datasets.image_folder.leaks import Leak

INDEX, SET_ASIDE, LEAKS = index.FILE, "set_aside.csv", "leaks.csv"


def write_index(path: Path, splits: Mapping[SplitName, list[Photo]]) -> None:
    """List the photos that are used, in the order of the splits and of the rows in each."""
    has_groups = any(photo.group is not None for photos in splits.values() for photo in photos)
    columns = ("path", "class", "split", "row", "width_px", "height_px", "file_bytes", "sha256")
    rows = (
        (
            photo.path,
            photo.class_name,
            split,
            row,
            photo.width_px,
            photo.height_px,
            photo.file_bytes,
            photo.sha256.hex(),
            *([photo.group] if has_groups else []),
        )
        for split, photos in splits.items()
        for row, photo in enumerate(photos)
    )
    files.write_rows(path, (*columns, "group") if has_groups else columns, rows)


def write_set_aside(path: Path, reasons: Mapping[str, str]) -> None:
    """List the files that are not used, by their paths, and why."""
    files.write_rows(path, ("path", "reason"), sorted(reasons.items()))


def write_leaks(path: Path, leaks: Iterable[Leak]) -> None:
    """List photos that are in two splits."""
    columns = ("split", "path", "other_split", "other_path", "kind", "differing_bits")
    rows = (
        (
            leak.photo.split,
            leak.photo.path,
            leak.other.split,
            leak.other.path,
            leak.kind,
            leak.differing_bits,
        )
        for leak in leaks
    )
    files.write_rows(path, columns, rows)
