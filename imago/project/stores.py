"""Files that DVC keeps, by their digests: from its cache, else from its remote."""

import hashlib
import sys
from functools import cached_property
from pathlib import Path

from dvc.config import NoRemoteError
from dvc.data_cloud import Remote
from dvc.exceptions import DvcException, NotDvcRepoError
from dvc.repo import Repo
from dvc_objects.db import ObjectDB
from dvc_objects.errors import ObjectDBError
from dvc_objects.fs.errors import AuthError, ConfigError, RemoteMissingDepsError

from imago.core.errors import GateError

_CLIENTS = {
    "asyncssh": "Error",
    "azure.core.exceptions": "AzureError",
    "botocore.exceptions": "BotoCoreError",
    "google.auth.exceptions": "GoogleAuthError",
}
"""Libraries behind remotes, and what their own errors are derived from."""


class MissingError(GateError):
    """Neither the cache nor the remote has a file."""


class Storage:
    """The cache and the default remote of the DVC project in this folder."""

    def __init__(self) -> None:
        self._fault_of_remote = ""

    def read(self, md5: str) -> bytes:
        """Return the content with this digest; what is damaged is never given.

        Raises:
            MissingError: Neither the cache nor the remote has it.
            GateError: The remote cannot be read, or what is there is damaged.
        """
        place = self._cache.oid_to_path(md5)
        try:
            content = bytes(self._cache.fs.cat_file(place))
        except FileNotFoundError:
            return self._fetched(md5, "not in the DVC cache")
        if digest(content) == md5:
            return content
        return self._fetched(md5, f"damaged in the DVC cache; delete {_relative(place)}")

    @cached_property
    def _repo(self) -> Repo:
        try:
            return Repo()
        except NotDvcRepoError as error:
            message = "this folder must be a DVC project; run dvc init"
            raise GateError(message) from error
        except DvcException as error:
            message = f"the DVC project cannot be opened: {_in_a_line(error)}; mend .dvc/config"
            raise GateError(message) from error

    @property
    def _cache(self) -> ObjectDB:
        cache: ObjectDB = self._repo.cache.local
        return cache

    def _fetched(self, md5: str, reason: str) -> bytes:
        """Read from the remote; `reason` says what is wrong with the cache."""
        try:
            content = self._of_remote(md5)
        except GateError as error:
            message = f"{reason}; {error}"
            raise type(error)(message) from error
        if digest(content) != md5:
            message = (
                f"{reason}; damaged in the DVC remote too ({md5}): delete it there and push it "
                "again from where it is sound"
            )
            raise GateError(message)
        return content

    def _of_remote(self, md5: str) -> bytes:
        if self._fault_of_remote:  # which has been asked before: it may take long to fail
            raise GateError(self._fault_of_remote)
        try:
            remote = self._repo.cloud.get_remote()
            content = _cat(remote, md5)
        except NoRemoteError as error:
            message = "no DVC remote is set up (dvc remote add --default NAME URL)"
            raise MissingError(message) from error
        except _failures() as error:
            self._fault_of_remote = (
                f"the DVC remote {self._repo.config['core'].get('remote')} cannot be read: "
                f"{_in_a_line(error)}; check its URL and your credentials"
            )
            raise GateError(self._fault_of_remote) from error
        if content is None:
            message = f"not in the DVC remote {remote.name}"
            raise MissingError(message)
        return content


def _cat(remote: Remote, md5: str) -> bytes | None:
    try:
        return bytes(remote.odb.fs.cat_file(remote.odb.oid_to_path(md5)))
    except FileNotFoundError as error:
        if remote.fs.exists(remote.path):
            return None
        message = f"{remote.path} not found"
        raise FileNotFoundError(message) from error


def _failures() -> tuple[type[Exception], ...]:
    """Return what remotes raise; a client that was not imported cannot have raised anything."""
    of_clients = [
        getattr(sys.modules[module], name)
        for module, name in _CLIENTS.items()
        if module in sys.modules
    ]
    of_dvc = (DvcException, ObjectDBError, AuthError, ConfigError, RemoteMissingDepsError)
    return (OSError, ImportError, *of_dvc, *of_clients)  # DVC has it so where an extra is missing


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def digest(content: bytes) -> str:
    """Return the md5 by which DVC names a content."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _relative(place: str) -> str:
    path, here = Path(place), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
