"""Packages that hold wanted files: found in them by digest, since packages use names of their own.

Nothing is installed, and nothing that a package brings is run.
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import IO, cast

from imago.core.errors import SourceError
from imago.sources import store

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a zip's compression that Python does not know
)


def keep_members(package: Path, digests: Collection[str]) -> set[str]:
    """Keep the members of a wheel, sdist or zip that have a wanted digest, plain or gzipped.

    Returns:
        The digests that were found.

    Raises:
        SourceError: The package is damaged, or neither zip nor tar.
    """
    try:
        if zipfile.is_zipfile(package):
            with zipfile.ZipFile(package) as archive:
                return keep_wanted(_in_zip(archive), digests)
        with tarfile.open(package) as archive:
            return keep_wanted(_in_tar(archive), digests)
    except DAMAGE as error:
        message = f"the package is damaged or of no known kind: {error}"
        raise SourceError(message) from error


def keep_tree(folder: Path, digests: Collection[str]) -> set[str]:
    """Keep the files below a folder that have a wanted digest, plain or gzipped."""
    return keep_wanted(
        (
            store.opener(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        ),
        digests,
    )


def keep_wanted(openers: Iterable[store.Opener], digests: Collection[str]) -> set[str]:
    """Keep the files that have a wanted digest, plain or gzipped; return the digests found."""
    found: set[str] = set()
    for opener in openers:
        for digest, content in store.contents(opener):
            if digest in digests and digest not in found:
                store.keep(content, digest)
                found.add(digest)
    return found


def _in_zip(archive: zipfile.ZipFile) -> Iterator[store.Opener]:
    for member in archive.infolist():
        if not member.is_dir():
            yield partial(archive.open, member)


def _in_tar(archive: tarfile.TarFile) -> Iterator[store.Opener]:
    for member in archive:
        if member.isfile():  # a file's stream is never None
            stream = partial(archive.extractfile, member)
            yield cast("partial[AbstractContextManager[IO[bytes]]]", stream)
