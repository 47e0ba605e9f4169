"""Mend what a kill has cut off: dvc.lock, DVC's list of paths in use, and its run cache.

DVC stops over each, whatever it is asked to do. Does nothing where all are whole.
"""

import argparse


def configure(_: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser: none."""


def run(_: argparse.Namespace) -> int:
    """Mend, and say what was done."""
    from imago.project import mend  # here, for DVC takes a second to import

    for said in mend.mend():
        print(said)
    return 0
