"""A folder of photos as one file, and the listing that says which bytes it has.

DVC is slow with many small files, so what it keeps, pushes and pulls of a folder is one tar: its
photos in the order of their paths, without dates and owners, so that equal photos are equal bytes.
The listing is a table that git keeps, a line for each photo: by it a photo that has changed, is
missing or is new can be named.
"""

import csv
import hashlib
import logging
import shlex
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from imago.core import files, paths, photo_names, photo_walk
from imago.core.errors import SourceError
from imago.sources import store

log = logging.getLogger(__name__)

SUFFIX = ".tar"
"""Ends the name of the one file."""
_COLUMNS = ("path", "sha256")
_END = bytes(2 * tarfile.BLOCKSIZE)


def packed(contents: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the parts of a tar of these photos, (path, content)."""
    for path, content in contents:
        member = tarfile.TarInfo(path)
        member.size = len(content)
        yield member.tobuf(tarfile.GNU_FORMAT, "utf-8")
        yield content
        yield bytes(-len(content) % tarfile.BLOCKSIZE)
    yield _END


def digests(names: Iterable[str], read: Callable[[str], bytes]) -> tuple[str, dict[str, str]]:
    """Return the sha256 of the tar of some photos, and of each by its path."""
    found: dict[str, str] = {}

    def contents() -> Iterator[tuple[str, bytes]]:
        for name in names:
            content = read(name)
            found[name] = hashlib.sha256(content).hexdigest()
            yield name, content

    whole = hashlib.sha256()
    for part in packed(contents()):
        whole.update(part)
    return whole.hexdigest(), found


def write_listing(path: Path, photos: Mapping[str, str]) -> None:
    """Write the listing of photos, path: sha256."""
    files.write_rows(path, _COLUMNS, sorted(photos.items()))


def read_listing(path: Path) -> dict[str, str]:
    """Read a listing. Raises SourceError where there is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["path"]: row["sha256"] for row in csv.DictReader(file)}
    except FileNotFoundError as error:
        message = f"{path}: not found; it belongs to params.yaml: commit both"
        raise SourceError(message) from error
    except (KeyError, ValueError, csv.Error) as error:
        message = f"{path}: must be a table with the columns {', '.join(_COLUMNS)}; `imago add` "
        message += "writes it anew"
        raise SourceError(message) from error


def keep(folder: Path, dataset: str, digest: str) -> str:
    """Pack a folder into the store as its listing says, and return the digest.

    Raises:
        SourceError: There is no such folder or listing, or a photo is not as it was when the folder
            was added; the message names it.
    """
    again = f"run `imago add {shlex.quote(str(folder))} --name {dataset}` again"
    if not folder.is_dir():
        message = f"no such folder; where it is now, {again}"
        raise SourceError(message)
    listed = read_listing(paths.in_project(paths.listing(dataset)))
    there = dict(_photos(folder))
    changed: list[str] = []

    def contents() -> Iterator[tuple[str, bytes]]:
        for name, wanted in sorted(listed.items()):
            if name in there:
                content = _read(there[name])
                if hashlib.sha256(content).hexdigest() != wanted:
                    changed.append(name)
                yield name, content

    new = [name for name in there if name not in listed]
    missing = [name for name in listed if name not in there]
    with files.replacing(store.kept(digest)) as temporary:
        with temporary.open("wb") as tar:
            tar.writelines(packed(contents()))
        if changed or missing:
            said = _said({"changed": changed, "missing": missing, "new": new})
            message = f"is not as it was when it was added: {said}; {again}"
            raise SourceError(message)
        if (found := files.sha256(temporary)) != digest:
            message = (
                f"{paths.listing(dataset)} belongs to another state of params.yaml: the sha256 of "
                f"its photos is {found}, must be {digest}; commit and check out both, or {again}"
            )
            raise SourceError(message)
    if new:
        log.warning("%s: %s; to take them in, %s", folder, _said({"new": new}), again)
    return digest


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise SourceError(message) from error


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say which photos of two listings are not the same; nothing where all are."""
    return _said(
        {
            "new": [name for name in now if name not in before],
            "changed": [name for name in now if before.get(name, now[name]) != now[name]],
            "missing": [name for name in before if name not in now],
        }
    )


def _photos(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the path of each photo in a folder as listings have it, and where it lies."""
    for name, reason in photo_walk.files(str(folder), lambda _: None):
        path = folder / name
        if reason is None and not name.endswith("/") and path.is_file():
            yield photo_names.normal(name), path


def _said(names: Mapping[str, list[str]]) -> str:
    return "; ".join(
        f"{len(some):,} {what}: {photo_names.listed(some)}" for what, some in names.items() if some
    )
