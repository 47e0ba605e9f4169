"""Find damage among what DVC keeps, by reading all of it; exits 1 if there is any.

In the DVC cache and the working tree, or with --remote in a remote. DVC itself takes what lies in
its cache for sound.
"""

import argparse
from collections.abc import Sequence

from dvc.repo import Repo

from imago.project import remote, verify
from imago.project.verify import Object

STATES = ("sound", "damaged", "absent")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--remote", nargs="?", const="", metavar="NAME", help="read a remote, else the default one"
    )
    parser.add_argument(
        "--remove", action="store_true", help="delete what is damaged, so that it is brought anew"
    )


def run(chosen: argparse.Namespace) -> int:
    """Name everything that is damaged, and with --remove delete it."""
    with Repo() as repo:
        if chosen.remote is None:
            return _verify_here(repo, chosen.remove)
        return _verify_remote(repo, chosen.remote or None, chosen.remove)


def _verify_here(repo: Repo, remove: bool) -> int:
    store, where = repo.cache.local, "the DVC cache"
    objects = verify.examine(repo, store)
    damaged, differing = verify.damaged(objects), verify.differing(objects)
    _report(objects, damaged, where)
    digests = {found.digest for found in damaged}
    spoilt = [found for found in differing if found.digest in digests]
    for found in differing:
        if found not in spoilt:
            print(
                f"{found.artifact}: is not the file that dvc.lock names; unless that was meant, "
                f"delete it and run `dvc checkout {found.artifact}`"
            )
    if remove:
        verify.remove(store, damaged)
        for found in spoilt:
            found.artifact.unlink()
    if damaged:
        _advise(remove, "`dvc pull` brings them again, or `dvc repro` makes them again")
    return 1 if damaged or differing else 0


def _verify_remote(repo: Repo, name: str | None, remove: bool) -> int:
    chosen = remote.configured(repo, name)
    remote.lacking(repo, chosen)  # ends in one line if the remote is out of reach
    store = repo.cloud.get_remote_odb(chosen.name)
    objects = verify.examine(repo, store)
    damaged = verify.damaged(objects)
    _report(objects, damaged, f"{chosen.name} ({chosen.url})")
    if remove:
        verify.remove(store, damaged)
    if damaged:
        _advise(remove, "`dvc push` from a clone where they are sound brings them again")
    return 1 if damaged else 0


def _report(objects: Sequence[Object], damaged: Sequence[Object], where: str) -> None:
    for found in damaged:
        print(f"{found.artifact}: damaged in {where}, {found.path}")
    digests = {
        state: {found.digest for found in objects if found.state == state} for state in STATES
    }
    print(f"{where}: {', '.join(f'{len(digests[state]):,} {state}' for state in STATES)}")


def _advise(removed: bool, remedy: str) -> None:
    if removed:
        print(f"What is damaged has been deleted; {remedy}.")
    else:
        print(f"Once `--remove` has deleted what is damaged, {remedy}.")
