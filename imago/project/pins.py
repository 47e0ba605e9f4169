"""Photos of one's own, pinned by the sha256 of their bytes where they lie; nothing is copied."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imago.core import files, paths, photo_names, progress
from imago.core.errors import DataError, ParamsError
from imago.datasets.image_folder import archives, tables
from imago.params import Params
from imago.sources import kinds, photo_folders

LAYOUT = "image_folder"
_NAME = "{name}"
"""What stands for the name of a file in a source."""


@dataclass(frozen=True)
class Pinned:
    """The files of a data set, by the sha256 of their bytes, and where they come from.

    Attributes:
        listing: Of a folder: the sha256 of each photo.
    """

    files: dict[str, str]
    sources: list[str]
    listing: dict[str, str] | None = None


def pin(places: Sequence[Path], name: str) -> Pinned:
    """Read all that is to be pinned; it is fetched from where it lies."""
    of_folders = [place for place in places if place.is_dir()]
    of_files = {place.name: place for place in places if not place.is_dir()}
    if len(of_folders) > 1 or len(of_files) + len(of_folders) < len(places):
        message = (
            f"{name}: photos must be of one folder at most, and of archives with names of their "
            f"own, got {', '.join(map(str, places))}; put them into one folder"
        )
        raise DataError(message)
    if braced := [place for place in places if _NAME in str(place.resolve())]:
        message = f"{braced[0]}: no folder around may be called {_NAME}; rename it"
        raise DataError(message)
    digests = {file: files.sha256(place) for file, place in of_files.items()}
    sources = [f"{_place(place.parent)}/{_NAME}" for place in of_files.values()]
    if not of_folders:
        return Pinned(digests, list(dict.fromkeys(sources)))
    (folder,) = of_folders
    with archives.opened(folder) as opened:
        photos = [one for one in opened.files if photo_names.reason_against(one) is None]
        counted = progress.over(photos, "read the photos", len(photos), "photos")
        digest, listing = photo_folders.digests(counted, opened.read)
    source = f"{kinds.FOLDER}{_place(folder)}"
    tar = f"{name}{photo_folders.SUFFIX}"
    return Pinned({tar: digest, **digests}, list(dict.fromkeys([source, *sources])), listing)


def _place(folder: Path) -> str:
    """Name a folder, from that of params.yaml if it is within."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay links
    within = folder.is_relative_to(Path.cwd())
    place = f"./{folder.relative_to(Path.cwd()).as_posix()}" if within else folder.as_posix()
    return place.removesuffix("/.")


def write_listing(name: str, listing: dict[str, str] | None) -> str:
    """Write the listing of a folder, and say how it differs from the one that was there."""
    path = paths.listing(name)
    if listing is None:
        path.unlink(missing_ok=True)
        return ""
    before = photo_folders.read_listing(path) if path.exists() else listing
    photo_folders.write_listing(path, listing)
    return photo_folders.differences(before, listing)


def experiments_on(dataset: str, there: Params) -> list[str]:
    """Return the experiments on a data set, that of its own name first."""
    found = [
        name
        for name, experiment in there.experiments.items()
        if there.prepare[experiment.variant].dataset == dataset
    ]
    return sorted(found, key=lambda name: name != dataset)


def is_renewed(places: Sequence[Path], name: str, there: Params) -> bool:
    """Tell whether photos are those of a data set of this name, as they are now.

    They are where there is an experiment of this name too, as `imago add` made both, or, where that
    was renamed or taken out, where they are files of the same names.
    """
    if not is_own(name, there):
        return False
    files = {f"{name}{photo_folders.SUFFIX}" if one.is_dir() else one.name for one in places}
    return name in there.experiments or files == set(there.datasets[name].files)


def check_same(places: Sequence[Path], name: str, there: Params) -> None:
    """Check that photos are not plainly others than those of the data set of this name.

    They are where they lie elsewhere, those of the data set lie where they were, and no photo is of
    both.

    Raises:
        ParamsError: They are; the message says how both can be had.
    """
    dataset = there.datasets[name]
    known = [place for source in dataset.sources for place in _where(source, dataset.files)]
    still = [place for place in known if paths.in_project(place).exists()]
    before = {paths.in_project(place).resolve() for place in still}
    if not before or before & {place.resolve() for place in places}:
        return
    new = set(_photos(places))
    if new.isdisjoint(_listed(name)) and new.isdisjoint(_photos(sorted(before))):
        message = (
            f"{paths.PARAMS}: datasets has an entry {name} already, of {still[0]}, with which "
            f"these photos have none in common; another --name adds a data set, --name {name} puts "
            "these in the place of those"
        )
        raise ParamsError(message)


def _photos(places: Iterable[Path]) -> Iterator[str]:
    """Yield the sha256 of each photo in archives and folders, one photo at a time in memory."""
    for place in places:
        if tables.is_table(place) and not place.is_dir():
            continue
        with archives.opened(place) as opened:
            photos = [one for one in opened.files if photo_names.reason_against(one) is None]
            yield from photo_folders.digests(photos, opened.read)[1].values()


def _listed(name: str) -> list[str]:
    """Return the sha256 of each photo of a data set that is a folder."""
    path = paths.listing(name)
    return list(photo_folders.read_listing(path).values()) if path.exists() else []


def _where(source: str, names: Iterable[str]) -> list[Path]:
    found = kinds.parse(source)
    if isinstance(found, kinds.PhotoFolder):
        return [Path(found.path)]
    if isinstance(found, kinds.Places):
        return [Path(place) for name in names for place in found.locations(name)]
    return []


def is_own(name: str, there: Params) -> bool:
    """Tell a data set of photos of one's own, which lie in a folder here, and are learnt from."""
    dataset = there.datasets.get(name)
    if dataset is None or dataset.layout != LAYOUT or not experiments_on(name, there):
        return False
    sources = [kinds.parse(source) for source in dataset.sources]
    return all(
        isinstance(source, kinds.PhotoFolder)
        or (isinstance(source, kinds.Places) and not kinds.is_url(source.templates[0]))
        for source in sources
    )
