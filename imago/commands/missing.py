"""Say which experiments have not run for want of data; exits 1 if any."""

import argparse

from imago import params
from imago.project import missing


def configure(_: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser: none."""


def run(_: argparse.Namespace) -> int:
    """Print what every experiment lacks, and how to supply it."""
    settings = params.load()
    found = missing.gaps(settings)
    print(missing.explain(found, settings))
    return 1 if found else 0
