"""Whether what DVC keeps, in its cache or in a remote, still is what dvc.lock names by its MD5.

DVC itself trusts its cache, and a remote without the setting `verify`: it takes what lies there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo

from imago.project import dvc, remote, stores
from imago.project.stores import DIRECTORY, State, Store


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
    state: State

    @property
    def is_list(self) -> bool:
        """Whether it lists the files of a folder."""
        return self.digest.endswith(DIRECTORY)


@dataclass(frozen=True)
class Verified:
    """What was found in a store, all of which has been read.

    Attributes:
        store: The DVC cache, or a remote.
        objects: All that dvc.lock names. What the list of a folder names is known only where that
            list is there and sound.
        spoilt: Files in the working tree that DVC has copied from a damaged object.
        differing: Files in the working tree that are others than dvc.lock names, for no such cause.
        remedy: Brings again what has been removed.
    """

    store: Store
    objects: Sequence[Object]
    spoilt: Sequence[Path]
    differing: Sequence[Path]
    remedy: str

    @property
    def damaged(self) -> list[Object]:
        """The objects whose bytes have another MD5."""
        return [found for found in self.objects if found.state == "damaged"]

    def digests(self, state: State) -> set[str]:
        """Return the digests of the objects in a state; artifacts may share an object."""
        return {found.digest for found in self.objects if found.state == state}

    def remove(self) -> None:
        """Delete what is damaged, and the lists of folders that name it.

        While a remote has the list of a folder, `dvc push` takes it that the files are there too.
        """
        folders = {found.folder for found in self.damaged if found.folder}
        self.store.remove(self.digests("damaged") | folders)
        for path in self.spoilt:
            path.unlink()


def cache() -> Verified:
    """Read the DVC cache, and what is checked out. Raises DvcError."""
    with dvc.project() as repo:
        store = stores.cache(repo)
        objects = _all_objects(store, repo)
    damaged = {found.digest for found in objects if found.state == "damaged"}
    others = [found for found in objects if _differs(found)]
    return Verified(
        store,
        objects,
        spoilt=[found.artifact for found in others if found.digest in damaged],
        differing=[found.artifact for found in others if found.digest not in damaged],
        remedy="`dvc pull` brings them again, or `dvc repro` makes them again",
    )


def of_remote(name: str | None) -> Verified:
    """Read a remote, else the default one. Raises DvcError."""
    with dvc.project() as repo:
        chosen = stores.configured(repo, name)
        remote.lacking(repo, chosen)  # ends in one line if the remote is out of reach
        store = stores.remote(repo, chosen)
        objects = _all_objects(store, repo)
    remedy = "`dvc push` from a clone where they are sound brings them again"
    return Verified(store, objects, spoilt=[], differing=[], remedy=remedy)


def _differs(found: Object) -> bool:
    """Tell whether an artifact is in the working tree, but with other bytes."""
    if found.is_list or not found.artifact.is_file():
        return False
    return stores.digest_of_file(found.artifact) != found.digest


def _all_objects(store: Store, repo: Repo) -> list[Object]:
    """Read all that dvc.lock names; of what git keeps, what the store has as well."""
    beside = _objects(store, stores.kept_beside(repo))
    there = [found for found in beside if found.state != "absent"]
    return [*_objects(store, stores.wanted(repo)), *there]


def _objects(store: Store, wanted: Mapping[str, str]) -> Iterator[Object]:
    """Yield the object of each output, and those of the files in it."""
    for path, digest in wanted.items():
        whole = _object(store, Path(path), digest, None)
        yield whole
        if whole.is_list and whole.state == "sound":
            files = {whole.artifact / within: one for within, one in store.listed(digest).items()}
            for artifact in sorted(files):
                yield _object(store, artifact, files[artifact], digest)


def _object(store: Store, artifact: Path, digest: str, folder: str | None) -> Object:
    return Object(artifact, digest, folder, store.place(digest), store.state(digest))
