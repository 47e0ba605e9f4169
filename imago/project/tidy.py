"""What of the DVC cache is in use, and what `dvc gc` would delete."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imago.core.errors import LockError
from imago.project import dvc, git, lock, stores
from imago.project.stores import DIRECTORY, Store

COMMAND = "dvc gc --workspace --all-branches --all-tags --all-experiments"
"""Deletes what is not in use."""
UNCOMMITTED = "runs that no commit here has"


@dataclass(frozen=True)
class Amount:
    """Files of the cache."""

    files: int
    byte_count: int


@dataclass(frozen=True)
class Tidiness:
    """What lies in the cache.

    Attributes:
        kept: What this folder, the tip of a branch, a tag or a DVC experiment uses.
        goes: What none of them uses, by the artifact that it was, of earlier commits.
        shared: The cache, where it lies outside of this project, so that others may use it.
    """

    kept: Amount
    goes: Mapping[str, Amount]
    shared: Path | None = None

    @property
    def all_that_goes(self) -> Amount:
        """The sum of what goes."""
        return Amount(
            sum(one.files for one in self.goes.values()),
            sum(one.byte_count for one in self.goes.values()),
        )


def look() -> Tidiness:
    """Read the cache, and delete nothing. Raises DvcError, GitError."""
    with dvc.project() as repo:
        store = stores.cache(repo)
        with dvc.one_line(), dvc.without_warnings():
            # Forced, as `dvc gc` is by who confirms: of a branch that was never pulled here, a
            # folder's list is not here, by which the files in it could be told.
            used = repo.used_objs(
                all_branches=True, all_tags=True, all_experiments=True, force=True
            )
            there = set(store.all())
        roots = {info.value for infos in used.values() for info in infos}
        kept = there & {one for root in roots for one in _with_files(store, root)}
        names = dict(reversed(list(_names(store))))  # of artifacts with equal bytes, the first
        goes: dict[str, list[str]] = {}
        for digest in sorted(there - kept):
            goes.setdefault(names.get(digest, UNCOMMITTED), []).append(digest)
        folder = Path(repo.cache.local_cache_dir).resolve()
        return Tidiness(
            _amount(store, kept),
            {name: _amount(store, digests) for name, digests in sorted(goes.items())},
            None if folder.is_relative_to(Path(repo.root_dir).resolve()) else folder,
        )


def _amount(store: Store, digests: Iterable[str]) -> Amount:
    sizes = [Path(store.place(digest)).stat().st_size for digest in digests]
    return Amount(len(sizes), sum(sizes))


def _with_files(store: Store, digest: str) -> Iterator[str]:
    """Yield a digest, and those of the files in a folder whose list is there."""
    yield digest
    if digest.endswith(DIRECTORY) and store.has(digest):
        yield from store.listed(digest).values()


def _names(store: Store) -> Iterator[tuple[str, str]]:
    """Yield the digests that some commit names, with the artifact."""
    for commit in git.commits_of(lock.NAME):
        try:
            named = lock.digests(git.read(commit, lock.NAME))
        except LockError:  # a broken one was committed, whose runs cannot be told
            continue
        for path, digest in named.items():
            yield from ((one, path) for one in _with_files(store, digest))
