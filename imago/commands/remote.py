"""Check that a DVC remote can be used; exits 1 if not, or if files are missing there."""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("name", nargs="?", help="of the remote; else the default remote")


def run(chosen: argparse.Namespace) -> int:
    """Say whether the remote can be reached, has everything and gives away nothing damaged."""
    from imago.project import remote  # here, for DVC takes a second to import

    found, faults = remote.faults(chosen.name)
    for fault in faults or ["can be used, and has all that dvc.lock names"]:
        print(f"{found.label}: {fault}")
    return 1 if faults else 0
