"""Whether a remote of DVC can be used."""

from pathlib import Path

from dvc.repo import Repo

from imago.core.errors import DvcError
from imago.project import dvc, stores
from imago.project.stores import Remote

SHOWN = 5
"""Outputs that are named of all that a remote lacks."""


def faults(name: str | None) -> tuple[Remote, list[str]]:
    """Find a remote, else the default one, and what is wrong with it, each with its remedy.

    Raises:
        DvcError: There is no such remote, or see `lacking`.
    """
    with dvc.project() as repo:
        remote = stores.configured(repo, name)
        absent = lacking(repo, remote)
    found = []
    if not remote.verifies:
        setting = f"dvc remote modify {remote.name} verify true"
        found.append(f"hands out damaged files unnoticed; run `{setting}`")
    if absent:
        more = f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        names = ", ".join(absent[:SHOWN])
        found.append(f"lacks {names}{more}; run `dvc push` where they are")
    return remote, found


def lacking(repo: Repo, remote: Remote) -> list[str]:
    """Ask the remote which of the outputs that dvc.lock names it lacks; a folder counts as one.

    Raises:
        DvcError: The remote cannot be reached, refuses, or has nothing at all.
    """
    if "://" not in remote.url and not Path(remote.url).is_dir():
        message = (
            f"{remote.name}: {remote.url} must be a folder, and is not there; mount it, or make it "
            f"for the first push"
        )
        raise DvcError(message)
    wanted = stores.wanted(repo)
    if not wanted:
        return []
    _reach(remote)
    store = stores.remote(repo, remote)
    absent = [path for path, digest in wanted.items() if not store.has(digest)]
    if len(absent) == len(wanted):
        message = (
            f"{remote.name}: {remote.url} has nothing that dvc.lock names; if that is the right "
            f"URL, run `dvc push` where the files are"
        )
        raise DvcError(message)
    return sorted(absent)


def _reach(remote: Remote) -> None:
    """Ask for all; by a command of DVC, which knows best what the client of each store means."""
    try:
        dvc.run_silently("status", "--cloud", "--json", "--remote", remote.name)
    except DvcError as error:
        message = f"{remote.label}: {error}"
        raise DvcError(message) from error
