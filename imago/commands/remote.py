"""Check that a DVC remote can be used; exits 1 if not, or if files are missing there."""

import argparse

from dvc.repo import Repo

from imago.project import remote

SHOWN = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("name", nargs="?", help="of the remote; else the default remote")


def run(chosen: argparse.Namespace) -> int:
    """Say whether the remote can be reached, has everything and gives away nothing damaged."""
    with Repo() as repo:
        found = remote.configured(repo, chosen.name)
        lacking = remote.lacking(repo, found)
    faults = []
    if not found.verifies:
        setting = f"dvc remote modify {found.name} verify true"
        faults.append(f"hands out damaged files unnoticed; run `{setting}`")
    if lacking:
        more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        names = ", ".join(lacking[:SHOWN])
        faults.append(f"lacks {names}{more}; run `dvc push` where they are")
    for fault in faults or ["can be used, and has all that dvc.lock names"]:
        print(f"{found.name} ({found.url}): {fault}")
    return 1 if faults else 0
