"""Every photo of an archive, looked at once; what stays in memory is a row for each."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from imago.core import progress, workers
from imago.core.errors import DataError
from imago.data.arrays import SplitName
from imago.datasets.image_folder.archive import Archive
from imago.datasets.image_folder.arrangement import Place
from imago.photos import decoding, fingerprints

PHOTOS_PER_TASK = 16
"""So many that handing small ones to a thread costs little beside decoding them."""
PHOTOS_PER_TASK_ELSEWHERE = 128
"""The same of a cluster, whose scheduler takes milliseconds for each task."""


@dataclass(frozen=True, slots=True)
class Photo:
    """What is known of a photo that can be used.

    Attributes:
        path: Within the archive.
        split: That it belongs to.
        class_name: That it belongs to.
        width_px: Upright.
        height_px: Upright.
        file_bytes: As its publisher encoded it.
        sha256: Of these bytes.
        fingerprint: Of its pixels.
        group: Of photos that no two splits may share; None where nobody says so.
    """

    path: str
    split: SplitName
    class_name: str
    width_px: int
    height_px: int
    file_bytes: int
    sha256: bytes
    fingerprint: fingerprints.Fingerprint
    group: str | None = None


@dataclass(frozen=True)
class Inspection:
    """What came of looking at the photos of an archive.

    Attributes:
        photos: Those that can be used, in the order given.
        unreadable: Path of each other one: why it cannot.
    """

    photos: list[Photo]
    unreadable: dict[str, str]


def inspect(archive: Archive, places: Mapping[str, Place], greatest_pixels: int) -> Inspection:
    """Decode every photo, on all cores or on a cluster, one for each core at a time in memory.

    Args:
        archive: Open for reading.
        places: Path of each photo: where it belongs.
        greatest_pixels: A photo with more is not decoded and counts as unreadable.
    """
    paths = list(places)
    step = PHOTOS_PER_TASK_ELSEWHERE if workers.are_elsewhere() else PHOTOS_PER_TASK
    starts = range(0, len(paths), step)
    tasks = ({path: places[path] for path in paths[start : start + step]} for start in starts)
    look = functools.partial(_look_at_all, archive, greatest_pixels)
    found: list[Photo | str] = []
    with (
        decoding.quiet(),  # decoders and digests let others run beside
        progress.bar("look at every photo", len(paths), "photos") as advance,
    ):
        for some in progress.counted(workers.mapped(look, tasks), advance):
            found += some
    return Inspection(
        photos=[one for one in found if isinstance(one, Photo)],
        unreadable={
            path: one for path, one in zip(paths, found, strict=True) if isinstance(one, str)
        },
    )


def _look_at_all(
    archive: Archive, greatest_pixels: int, places: Mapping[str, Place]
) -> list[Photo | str]:
    return [_look_at(archive, path, place, greatest_pixels) for path, place in places.items()]


def _look_at(archive: Archive, path: str, place: Place, greatest_pixels: int) -> Photo | str:
    """Return what is known of a photo, or the reason why it cannot be used."""
    try:
        content = archive.read(path)
        image = decoding.decode_for(content, greatest_pixels, fingerprints.shrinking)
    except decoding.UnreadableError as error:
        return str(error)
    except DataError:
        return "damaged within the archive"
    return Photo(
        path=path,
        split=place.split,
        class_name=place.class_name,
        width_px=image.width,
        height_px=image.height,
        file_bytes=len(content),
        sha256=hashlib.sha256(content).digest(),
        fingerprint=fingerprints.fingerprint(image.pixels),
        group=place.group,
    )
