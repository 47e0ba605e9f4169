"""Whether a remote of DVC can be used; one line where it cannot."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.repo import Repo

from imago.core.errors import RemoteError

ADD = "dvc remote add --default NAME URL"


@dataclass(frozen=True)
class Remote:
    """A remote of the DVC project in this folder.

    Attributes:
        name: As .dvc/config has it.
        url: Of the remote; a path if it is a folder.
        verifies: Whether DVC compares what it fetches from there with its MD5.
    """

    name: str
    url: str
    verifies: bool


def configured(repo: Repo, name: str | None) -> Remote:
    """Return a remote by its name, or the default remote.

    Raises:
        RemoteError: There is no such remote.
    """
    remotes: Mapping[str, Mapping[str, Any]] = repo.config["remote"]
    chosen = name or repo.config["core"].get("remote")
    if not chosen:
        known = f"; there are {', '.join(sorted(remotes))}" if remotes else ""
        message = f"no default DVC remote is set up{known}; {ADD} adds one"
        raise RemoteError(message)
    if chosen not in remotes:
        known = ", ".join(sorted(remotes)) or "none"
        message = f"{chosen}: must be a DVC remote, one of {known}; {ADD} adds one"
        raise RemoteError(message)
    settings = remotes[chosen]
    return Remote(chosen, str(settings["url"]), bool(settings.get("verify", False)))


def lacking(repo: Repo, remote: Remote) -> list[str]:
    """Ask the remote which of the outputs that dvc.lock names it lacks; a folder counts as one.

    Raises:
        RemoteError: The remote cannot be reached, refuses, or has nothing at all.
    """
    if "://" not in remote.url and not Path(remote.url).is_dir():
        message = (
            f"{remote.name}: {remote.url} must be a folder, and is not there; mount it, or make it "
            f"for the first push"
        )
        raise RemoteError(message)
    outs = [out for out in repo.index.outs if out.use_cache and out.hash_info]
    kept = {out.def_path: out.hash_info.value for out in outs}
    if not kept:
        return []
    _reach(remote)
    store = repo.cloud.get_remote_odb(remote.name)
    found = [path for path, digest in kept.items() if not store.exists(digest)]
    if len(found) == len(kept):
        message = (
            f"{remote.name}: {remote.url} has nothing that dvc.lock names; if that is the right "
            f"URL, run `dvc push` where the files are"
        )
        raise RemoteError(message)
    return sorted(found)


def _reach(remote: Remote) -> None:
    """Ask for all; in a child, since the client of each kind of store fails in its own way."""
    command = ["status", "--cloud", "--json", "--remote", remote.name]
    asked = subprocess.run(
        [sys.executable, "-m", "dvc", *command], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        message = f"{remote.name} ({remote.url}): {_fault(asked.stderr)}"
        raise RemoteError(message)


def _fault(printed: str) -> str:
    """Choose the line in which dvc says what is wrong."""
    for line in printed.splitlines():
        if line.startswith("ERROR: "):
            return line.removeprefix("ERROR: ").removeprefix("unexpected error - ")
    return printed.strip() or "dvc status --cloud failed without a word"
