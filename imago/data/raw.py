"""Published files as they were fetched, compared once more with their published digests."""

from collections.abc import Mapping
from pathlib import Path

from imago.core import digests
from imago.core.errors import DataError
from imago.core.sections import UNPUBLISHED
from imago.data.arrays import REMEDY


def verify(folder: Path, wanted: Mapping[str, str]) -> None:
    """Compare the files in a folder with the digests that params.yaml has.

    Args:
        folder: Under data/raw or data/weights.
        wanted: The digest of each file, or UNPUBLISHED. One that is missing is passed over: what
            reads it says so better.

    Raises:
        DataError: A file is another one.
    """
    for name, digest in wanted.items():
        path = folder / name
        if digest == UNPUBLISHED or not path.is_file():
            continue
        with path.open("rb") as file:
            found = digests.of(file, digest)
        if found != digest:
            message = (
                f"{path}: damaged since it was fetched: its {digests.said(found)}, params.yaml has "
                f"{digest}; {REMEDY.format(folder=folder)}"
            )
            raise DataError(message)
