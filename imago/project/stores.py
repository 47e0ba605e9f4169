"""The DVC cache and DVC remotes, which are read and cleaned from here alone.

Files lie there by their MD5, and the list of a folder's files by its own with `.dir` behind it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from dvc.repo import Repo
from dvc_data.hashfile.db import HashFileDB
from dvc_data.hashfile.hash import file_md5
from dvc_data.hashfile.tree import Tree

from imago.core.errors import DvcError
from imago.project import dvc

DIRECTORY = ".dir"
"""Ends the digest of a folder's list."""
ADD = "dvc remote add --default NAME URL"

State = Literal["sound", "damaged", "absent"]
STATES: tuple[State, ...] = get_args(State)


class MissingError(DvcError):
    """Neither the cache nor the remote has a file."""


@dataclass(frozen=True)
class Store:
    """The cache or a remote. Each method raises DvcError where it cannot be reached.

    Attributes:
        label: What a person calls it.
        database: Of DVC.
        root: Of a remote: a place without which it cannot be told what is missing there.
    """

    label: str
    database: HashFileDB
    root: str | None = None

    def place(self, digest: str) -> str:
        """Return where a file is kept, or would be."""
        return str(self.database.oid_to_path(digest))

    def has(self, digest: str) -> bool:
        """Tell whether a file is there, whatever its bytes."""
        with dvc.one_line(self.label):
            return bool(self.database.exists(digest))

    def all(self) -> set[str]:
        """Return the digests of all files that are there."""
        with dvc.one_line(self.label):
            return set(self.database.all())  # type: ignore[no-untyped-call]

    def read(self, digest: str) -> bytes | None:
        """Return a file, whatever its bytes, or nothing if it is not there."""
        remedy = "check its URL and your credentials" if self.root else ""
        with dvc.one_line(f"{self.label} cannot be read", remedy):
            try:
                return bytes(self.database.fs.cat_file(self.place(digest)))
            except FileNotFoundError as error:
                if self.root is None or self.database.fs.exists(self.root):
                    return None
                message = f"{self.root} not found"
                raise FileNotFoundError(message) from error

    def state(self, digest: str) -> State:
        """Read a file to tell whether it is there, and with the bytes of its digest."""
        with dvc.one_line(self.label):
            try:
                found = file_md5(self.place(digest), self.database.fs)
            except FileNotFoundError:
                return "absent"
        return "sound" if found == digest.removesuffix(DIRECTORY) else "damaged"

    def listed(self, digest: str) -> dict[Path, str]:
        """Return the digests of a folder's files by their paths in it, from its sound list."""
        with dvc.one_line(self.label):
            tree = Tree.load(self.database, self.database.get(digest).hash_info)
        return {Path(*parts): info.value for parts, _, info in tree}

    def remove(self, digests: Iterable[str]) -> None:
        """Delete files."""
        with dvc.one_line(self.label):
            for place in sorted({self.place(digest) for digest in digests}):
                self.database.fs.remove(place)


@dataclass(frozen=True)
class Remote:
    """A remote as .dvc/config has it.

    Attributes:
        name: Of the remote.
        url: Of the remote; a path if it is a folder.
        verifies: Whether DVC compares what it fetches from there with its MD5.
    """

    name: str
    url: str
    verifies: bool

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.name} ({self.url})"


def cache(repo: Repo) -> Store:
    """Return the cache."""
    return Store("the DVC cache", repo.cache.local)


def remote(repo: Repo, named: Remote) -> Store:
    """Return the files of a remote. Raises DvcError where what it needs is not installed."""
    with dvc.one_line(named.label):
        found = repo.cloud.get_remote(named.name)
        return Store(named.label, found.odb, found.path)


def configured(repo: Repo, name: str | None) -> Remote:
    """Return a remote by its name, or the default remote.

    Raises:
        DvcError: There is no such remote.
    """
    remotes: Mapping[str, Mapping[str, Any]] = repo.config["remote"]
    chosen = name or repo.config["core"].get("remote")
    if not chosen:
        known = f"; there are {', '.join(sorted(remotes))}" if remotes else ""
        message = f"no default DVC remote is set up{known}; {ADD} adds one"
        raise DvcError(message)
    if chosen not in remotes:
        known = ", ".join(sorted(remotes)) or "none"
        message = f"{chosen}: must be a DVC remote, one of {known}; {ADD} adds one"
        raise DvcError(message)
    options = remotes[chosen]
    return Remote(chosen, str(options["url"]), bool(options.get("verify", False)))


def wanted(repo: Repo) -> dict[str, str]:
    """Return the digest of each output that dvc.lock names and stores keep, by its path."""
    with dvc.one_line():
        outs = [out for out in repo.index.outs if out.use_cache and out.hash_info]
        return {out.def_path: out.hash_info.value for out in outs}


def kept_beside(repo: Repo) -> dict[str, str]:
    """Return the digest of each output that git keeps, by its path.

    DVC's run cache has them too, where the stage has run, and hands them out for an equal run.
    """
    with dvc.one_line():
        outs = [out for out in repo.index.outs if not out.use_cache and out.hash_info]
        return {out.def_path: out.hash_info.value for out in outs}


def digest(content: bytes) -> str:
    """Return the digest of a content."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the digest of a file."""
    return str(file_md5(str(path)))


class Storage:
    """The cache, else the default remote of the DVC project in this folder."""

    def __init__(self) -> None:
        self._fault_of_remote = ""

    def read(self, md5: str) -> bytes:
        """Return the content with this digest; what is damaged is never given.

        Raises:
            MissingError: Neither the cache nor the remote has it.
            DvcError: The remote cannot be read, or what is there is damaged.
        """
        content = self._cache.read(md5)
        if content is None:
            return self._fetched(md5, "not in the DVC cache")
        if digest(content) == md5:
            return content
        place = _relative(self._cache.place(md5))
        return self._fetched(md5, f"damaged in the DVC cache; delete {place}")

    @cached_property
    def _repo(self) -> Repo:
        return dvc.project()

    @cached_property
    def _cache(self) -> Store:
        return cache(self._repo)

    @cached_property
    def _remote(self) -> Store:
        if not self._repo.config["core"].get("remote"):
            message = f"no DVC remote is set up ({ADD})"
            raise MissingError(message)
        named = configured(self._repo, None)
        return replace(remote(self._repo, named), label=f"the DVC remote {named.name}")

    def _fetched(self, md5: str, reason: str) -> bytes:
        """Read from the remote; `reason` says what is wrong with the cache."""
        try:
            content = self._of_remote(md5)
        except DvcError as error:
            message = f"{reason}; {error}"
            raise type(error)(message) from error
        if digest(content) != md5:
            message = (
                f"{reason}; damaged in the DVC remote too ({md5}): delete it there and push it "
                "again from where it is sound"
            )
            raise DvcError(message)
        return content

    def _of_remote(self, md5: str) -> bytes:
        if self._fault_of_remote:  # which has been asked before: it may take long to fail
            raise DvcError(self._fault_of_remote)
        try:
            content = self._remote.read(md5)
        except MissingError:
            raise
        except DvcError as error:
            self._fault_of_remote = str(error)
            raise
        if content is None:
            message = f"not in {self._remote.label}"
            raise MissingError(message)
        return content


def _relative(place: str) -> str:
    path, here = Path(place), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
