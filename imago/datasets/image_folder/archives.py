"""Archives and folders of photos, opened by what they are, whatever they are called."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from imago.core.errors import DataError
from imago.datasets.image_folder import directories, tars, zips
from imago.datasets.image_folder.archive import GENEROUS, Archive, Limits

_REPACK = "unpack it, and add the folder"
_FOLDER = "add the folder that holds a folder of photos for each class"
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _REPACK),
    b"Rar!\x1a\x07": ("a RAR archive", _REPACK),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", _REPACK),
    b"\xff\xd8\xff": ("a photo", _FOLDER),
    b"\x89PNG": ("a picture", _FOLDER),
    b"%PDF": ("a PDF", "add the photos themselves"),
    b"<?xml": ("XML", "of CVAT, export the format ImageNet with its images"),
    b"<": ("a web page", "download the archive itself, which may need a login"),
    b"{": ("JSON", "download the archive itself, which may need a login"),
}
"""First bytes of what is given in place of an archive: what it is, and what to do."""
_HEAD_BYTES = 512
_SPANNED = b"PK\7\x08"
"""First bytes of the first part of a zip in parts. Source: PKWARE, APPNOTE.TXT 6.3.10, 8.5.5."""
_PART = re.compile(r"(\.(?:zip|7z|tar|tgz|gz|xz))\.\d{3}$|\.z\d\d$", re.IGNORECASE)
"""Ends the names of parts: pets.zip.001, pets.z01."""


@contextlib.contextmanager
def opened(path: Path, limits: Limits = GENEROUS) -> Iterator[Archive]:
    """Open an archive or a folder whose names keep the rules.

    Raises:
        DataError: The file is missing or is no whole archive of a kind that is read, which the
            message says; or its directory breaks a rule.
    """
    if not path.exists():
        message = f"{path}: not found; put the archive there, or name where it is"
        raise DataError(message)
    if path.is_dir():
        with directories.opened(path, limits) as archive:
            yield archive
        return
    if not path.is_file():
        message = f"{path}: must be a file or a folder, got neither; copy what it gives into a file"
        raise DataError(message)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if what := _other_kind(path, head):
        kind, remedy = what
        message = f"{path}: must be a zip or a tar, got {kind}; {remedy}"
        raise DataError(message)
    is_tar = head.startswith((tars.GZIP, tars.XZ, tars.BZIP2)) or tars.is_tar(head)
    with (tars if is_tar else zips).opened(path, limits) as archive:
        yield archive


def _other_kind(path: Path, head: bytes) -> tuple[str, str] | None:
    """Say what a file is in place of an archive that can be read whole, and what to do."""
    if not head:
        return "an empty file", "get it anew"
    part = _PART.search(path.name)
    if part or head.startswith(_SPANNED) or path.with_suffix(".z01").is_file():
        whole = path.name[: part.end(1)] if part and part[1] else None
        zipped = path.with_suffix(".zip").name
        join = f"cat {whole}.* > {whole}" if whole else f"zip -s 0 {zipped} --out joined.zip"
        return "a part of an archive in parts", f"join them, such as with `{join}`"
    return next((what for begin, what in _OTHERS.items() if head.lstrip().startswith(begin)), None)
