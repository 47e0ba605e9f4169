"""Whether what DVC keeps, in its cache or in a remote, still is what dvc.lock names by its MD5.

DVC itself trusts its cache, and a remote without the setting `verify`: it takes what lies there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dvc.repo import Repo
from dvc_data.hashfile.db import HashFileDB
from dvc_data.hashfile.hash import file_md5
from dvc_data.hashfile.tree import Tree

DIRECTORY = ".dir"
"""Ends the digest of an object that lists the files of a folder."""


@dataclass(frozen=True)
class Object:
    """One file that DVC keeps for an artifact, or its list of a folder's files.

    Attributes:
        artifact: The path that it is checked out to, relative to the repository.
        digest: Its MD5 as dvc.lock has it, with `.dir` behind that of a list.
        folder: The digest of the list that names it. None: dvc.lock does.
        path: Where it is kept.
        state: Whether it is there, and with the bytes of that MD5.
    """

    artifact: Path
    digest: str
    folder: str | None
    path: str
    state: Literal["sound", "damaged", "absent"]

    @property
    def is_list(self) -> bool:
        """Whether it lists the files of a folder."""
        return self.digest.endswith(DIRECTORY)


def examine(repo: Repo, store: HashFileDB) -> list[Object]:
    """Read every object that dvc.lock names and that the store, a cache or a remote, has.

    What the list of a folder names is known only where that list is there and sound.
    """
    return [
        found
        for out in repo.index.outs
        if out.use_cache and out.hash_info
        for found in _examine(store, Path(out.def_path), out.hash_info.value)
    ]


def damaged(objects: Iterable[Object]) -> list[Object]:
    """Choose the objects whose bytes have another MD5."""
    return [found for found in objects if found.state == "damaged"]


def differing(objects: Iterable[Object]) -> list[Object]:
    """Choose the objects whose artifact is in the working tree, but with other bytes."""
    return [
        found
        for found in objects
        if not found.is_list and found.artifact.is_file() and digest(found.artifact) != found.digest
    ]


def digest(path: Path) -> str:
    """The MD5 of a file, as DVC computes it."""
    return file_md5(str(path))


def remove(store: HashFileDB, objects: Iterable[Object]) -> None:
    """Delete objects and the lists of folders that name them.

    While a remote has the list of a folder, `dvc push` takes it that the files are there as well.
    """
    folders = {found.folder for found in objects if found.folder}
    paths = {found.path for found in objects} | {store.oid_to_path(folder) for folder in folders}
    for path in sorted(paths):
        store.fs.remove(path)


def _examine(store: HashFileDB, artifact: Path, listed: str) -> Iterator[Object]:
    """Yield the object of an output, and those of the files in it."""
    whole = _look(store, artifact, listed, None)
    yield whole
    if whole.is_list and whole.state == "sound":
        tree = Tree.load(store, store.get(listed).hash_info)
        files = {artifact.joinpath(*parts): info.value for parts, _, info in tree}
        for path in sorted(files):
            yield _look(store, path, files[path], listed)


def _look(store: HashFileDB, artifact: Path, digest: str, folder: str | None) -> Object:
    path = store.oid_to_path(digest)
    state: Literal["sound", "damaged", "absent"]
    try:
        same = file_md5(path, store.fs) == digest.removesuffix(DIRECTORY)
        state = "sound" if same else "damaged"
    except FileNotFoundError:
        state = "absent"
    return Object(artifact, digest, folder, path, state)
