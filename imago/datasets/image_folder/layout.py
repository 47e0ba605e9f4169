"""The layout of archives with a folder of photos for each class, such as Microsoft's PetImages.

    [wrapping folders/] [train, validation or test/] class/ photo.jpg

`folders` has the rules, unless a table beside says what is what (see `tables`). Classes are called
as their folders and sorted by name, upper case before lower. What `extract` writes beside the
packed photos and their labels:

    index.csv       each photo that is used: its class, its split, its row there, its size
    set_aside.csv   each file that is not, and why
    leaks.csv       each test or validation photo that is, or nearly is, in another split too
"""

import dataclasses
import itertools
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from imago.core import paths, progress
from imago.core.errors import DataError
from imago.core.photo_names import by_reason, listed
from imago.data import arrays, provenance, writing
from imago.data.arrays import SplitName
from imago.datasets.image_folder import contents, decisions, extracted, groups, inspection, leaks
from imago.datasets.image_folder.archive import Archive, Limits
from imago.datasets.image_folder.arrangement import Arrangement
from imago.datasets.image_folder.decisions import Decision
from imago.datasets.image_folder.inspection import Inspection, Photo
from imago.datasets.image_folder.leaks import Leak
from imago.datasets.image_folder.settings import Extract, Settings
from imago.datasets.image_folder.split_folders import SPLITS
from imago.photos import decoding, packs

log = logging.getLogger(__name__)

PIXELS_PER_MEGAPIXEL = 1_000_000
CLASSES_SHOWN = 10


def extract(settings: Settings, source: Path, target: Path) -> arrays.Info:
    """Look at every photo in the archives in `source`, and pack what can be used into `target`.

    Nothing is unpacked to disk, and memory holds a row for each photo.

    Raises:
        DataError: An archive is broken or could do harm, its folders are not those of the layout,
            too many photos are unreadable, a class or a split has none left, or photos are in two
            splits. `target` is then as it was, and a list that is too long for the message stands
            in a file that the message names.
    """
    wanted, names = settings.extract, sorted(settings.files)
    name = names[0] if len(names) == 1 else target.name
    path = source / name if len(names) == 1 else source
    raw = [source / one for one in names]
    with contents.opened(raw, str(path), Limits(whole=settings.limits)) as (archive, arrangement):
        _check_fractions(path, arrangement, wanted)
        greatest_pixels = int(wanted.greatest_megapixels * PIXELS_PER_MEGAPIXEL)
        found = inspection.inspect(archive, arrangement.places, greatest_pixels)
        set_aside = arrangement.unused | found.unreadable
        greatest_fraction = wanted.greatest_unreadable_fraction
        _check_readable(path, found, greatest_fraction, set_aside, paths.set_aside(target.name))
        decided = _decided(target.name, wanted)
        table, classes = paths.decisions(target.name), arrangement.classes("train")
        photos, dropped = decisions.apply(table, found.photos, decided, classes, found.unreadable)
        set_aside |= dropped
        splits = _split(photos, arrangement, wanted)
        _check_complete(path, splits, arrangement, found.unreadable, wanted, target.name)
        _check_groups(path, [photo for some in splits.values() for photo in some])
        leaked = leaks.find(splits)
        _check_leaks(path, leaked, wanted.allow_leaks, paths.leaks(target.name))

        with writing.splits(target, arrangement.classes("train"), image_shape=None) as writer:
            _pack(writer, archive, splits)
            extracted.write_index(writer.folder / extracted.INDEX, splits)
            extracted.write_set_aside(writer.folder / extracted.SET_ASIDE, set_aside)
            extracted.write_leaks(writer.folder / extracted.LEAKS, leaked)
            if wanted.decisions_sha256:
                decisions.write(writer.folder / provenance.DECISIONS, decided)
    for line in _findings(target, arrangement, found, photos, leaked):
        log.info("%s: %s", name, line)
    if wanted.decisions_sha256:
        log.info(
            "%s: photos dropped %s, given another label %s, as %s says",
            *(name, f"{len(dropped):,}", f"{len(set(photos) - set(found.photos)):,}"),
            paths.decisions(target.name),
        )
    return writer.info


def _decided(dataset: str, wanted: Extract) -> list[Decision]:
    """Read what was decided of photos, nothing where params.yaml has taken up no table."""
    if wanted.decisions_sha256 is None:
        return []
    table = paths.decisions(dataset)
    decisions.verify(table, wanted.decisions_sha256)
    return decisions.read(table)


def _check_fractions(path: Path, arrangement: Arrangement, wanted: Extract) -> None:
    for split, fraction in _fractions(wanted).items():
        if arrangement.classes(split):
            message = (
                f"{path}: extract.{split}_fraction must be left out where there is a {split} "
                f"folder, got {fraction}; remove it from params.yaml"
            )
            raise DataError(message)
    if not arrangement.classes("test") and wanted.test_fraction is None:
        message = (
            f"{path}: must have a test folder that holds a folder for each class, got none; add "
            "extract.test_fraction to params.yaml, such as 0.2, to draw the test photos"
        )
        raise DataError(message)


def _fractions(wanted: Extract) -> dict[SplitName, float]:
    """Return the share of each split that is to be drawn."""
    fractions: dict[SplitName, float | None] = {
        "test": wanted.test_fraction,
        "validation": wanted.validation_fraction,
    }
    return {split: fraction for split, fraction in fractions.items() if fraction is not None}


def _check_readable(
    path: Path,
    found: Inspection,
    greatest_fraction: float,
    set_aside: Mapping[str, str],
    listing: Path,
) -> None:
    total = len(found.photos) + len(found.unreadable)
    if not found.unreadable or len(found.unreadable) / total <= greatest_fraction:
        return
    extracted.write_set_aside(listing, set_aside)
    reasons = list(found.unreadable.values())
    are_large = any(reason.startswith(decoding.TOO_MANY_PIXELS) for reason in reasons)
    message = (
        f"{path}: of {total:,} photos a share of {greatest_fraction} may be unreadable, "
        f"got {len(reasons):,}: {by_reason(reasons)}; {listing} lists them: "
        + ("raise extract.greatest_megapixels in params.yaml for those, " if are_large else "")
        + "mend or remove them, or raise extract.greatest_unreadable_fraction in params.yaml"
    )
    raise DataError(message)


def _split(
    photos: Sequence[Photo], arrangement: Arrangement, wanted: Extract
) -> dict[SplitName, list[Photo]]:
    """Return the photos of each split that the archive has or that is to be drawn."""
    photos = _drawn(photos, wanted)
    drawn = _fractions(wanted)
    names = [
        split for split in SPLITS if split == "test" or split in drawn or arrangement.classes(split)
    ]
    return {name: [photo for photo in photos if photo.split == name] for name in names}


def _check_complete(
    path: Path,
    splits: Mapping[SplitName, Sequence[Photo]],
    arrangement: Arrangement,
    unreadable: Mapping[str, str],
    wanted: Extract,
    dataset: str,
) -> None:
    """Check that each class has training photos, and drawn test photos, and no split is empty."""
    complete = {"train", "test"} & {"train", *_fractions(wanted)}
    for name, some in splits.items():
        there = {photo.class_name for photo in some}
        absent = [one for one in arrangement.classes("train") if one not in there]
        if absent and (name in complete or not there):
            drawn_from = {"train", *_fractions(wanted)} if name in _fractions(wanted) else {name}
            count = sum(
                one.class_name == absent[0] for split in drawn_from for one in splits.get(split, ())
            )
            bad = {
                one: reason
                for one, reason in unreadable.items()
                if arrangement.places[one].class_name == absent[0]
                and arrangement.places[one].split in drawn_from
            }
            why = _why_absent(absent[0], count, bad)
            message = (
                f"{path}: must have readable photos in {name}, different from those in other "
                f"splits, got none of {listed(absent)}{why}; add photos"
            )
            if wanted.decisions_sha256:
                message += f", or see what {paths.decisions(dataset)} takes from them"
            raise DataError(message)


def _why_absent(name: str, count: int, unreadable: Mapping[str, str]) -> str:
    """Say why a class has no photos in a split, where more than their number is to blame.

    Args:
        name: Of the class.
        count: Of its photos that were drawn from.
        unreadable: Path of each other one: why it cannot be read.
    """
    if unreadable and not count:
        reasons, some = by_reason(unreadable.values()), listed(list(unreadable), 1)
        return f"; those of {name} that could be cannot be read: {reasons}, such as {some}"
    if count > 1:
        return (
            f"; the {count:,} photos of {name} are fewer different ones than splits, since those "
            "that look alike, or are of one group, stay together"
        )
    return ""


def _drawn(photos: Sequence[Photo], wanted: Extract) -> list[Photo]:
    """Draw the photos of the splits that are wanted from the training photos."""
    candidates = [photo for photo in photos if photo.split == "train"]
    split_of: dict[str, SplitName] = {}
    if wanted.keep_together:
        drawn = groups.draw(candidates, _fractions(wanted))
        split_of = {one.path: split for one, split in zip(candidates, drawn, strict=True)}
    elif wanted.test_fraction is not None:
        chosen = leaks.draw(candidates, wanted.test_fraction)
        split_of = {one.path: "test" for one in itertools.compress(candidates, chosen)}
    return [
        dataclasses.replace(photo, split=split_of[photo.path]) if photo.path in split_of else photo
        for photo in photos
    ]


def _check_groups(path: Path, photos: Sequence[Photo]) -> None:
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for photo in photos:
        if photo.group is not None:
            splits[photo.group].add(photo.split)
    if crossing := sorted(group for group, some in splits.items() if len(some) > 1):
        message = (
            f"{path}: no group may be in two splits, got {listed(crossing)}; give each group one "
            "split in the table, or leave the column split out and set in params.yaml "
            "extract.keep_together to true and extract.test_fraction to a share such as 0.2"
        )
        raise DataError(message)


def _check_leaks(path: Path, leaked: Sequence[Leak], allowed: bool, listing: Path) -> None:
    pairs = [f"{one.photo.path} = {one.other.path}" for one in leaked if one.kind == "exact"]
    if not pairs or allowed:
        return
    extracted.write_leaks(listing, leaked)
    message = (
        f"{path}: no photo may be in two splits, got {len(pairs):,} that are, pixel for pixel: "
        f"{listed(pairs)}; {listing} lists them: remove one of each pair, or set "
        "extract.allow_leaks to true in params.yaml"
    )
    raise DataError(message)


def _pack(
    writer: writing.Writer, archive: Archive, splits: Mapping[SplitName, Sequence[Photo]]
) -> None:
    """Write the photos of each split as they are in the archive."""
    label_of = {name: label for label, name in enumerate(writer.classes)}
    for split, photos in splits.items():
        labels = np.array([label_of[photo.class_name] for photo in photos], np.int32)
        contents = (archive.read(photo.path) for photo in photos)
        counted = progress.over(contents, f"pack {split}", len(photos), "photos")
        packs.add(writer, split, labels, counted)


def _findings(
    target: Path,
    arrangement: Arrangement,
    found: Inspection,
    photos: Sequence[Photo],
    leaked: Sequence[Leak],
) -> Iterator[str]:
    """Say what a person should know of the archive, and of the photos as decided, in lines."""
    counts = Counter(photo.class_name for photo in photos)
    each = [f"{name} {count:,}" for name, count in sorted(counts.items())]
    yield f"{len(counts)} classes: {listed(each, CLASSES_SHOWN)}"
    listing = target / extracted.SET_ASIDE
    if bad := found.unreadable:
        total, reasons = len(found.photos) + len(bad), by_reason(bad.values())
        yield f"{len(bad):,} of {total:,} photos set aside: {reasons}; see {listing}"
    if unused := arrangement.unused:
        reasons = by_reason(unused.values())
        yield f"{len(unused):,} other files left out: {reasons}; see {listing}"
    if pairs := _in_two_classes(photos):
        are = (
            "picture, pixel for pixel, is" if len(pairs) == 1 else "pictures, pixel for pixel, are"
        )
        yield (
            f"{len(pairs):,} {are} in two classes, such as "
            f"{listed(pairs)}; of each pair one label is wrong: remove one, or decide on it"
        )
    if leaked:
        kinds = Counter(leak.kind for leak in leaked)
        yield (
            f"photos in two splits: {kinds['exact']:,} pixel for pixel, {kinds['near']:,} to the "
            f"eye; see {target / extracted.LEAKS}"
        )


def _in_two_classes(photos: Iterable[Photo]) -> list[str]:
    """Return pairs of equal pictures under two labels, the first of each."""
    first: dict[bytes, Photo] = {}
    pairs: dict[bytes, str] = {}
    for photo in photos:
        other = first.setdefault(photo.fingerprint.pixels, photo)
        if other.class_name != photo.class_name:
            pairs.setdefault(photo.fingerprint.pixels, f"{other.path} = {photo.path}")
    return list(pairs.values())
