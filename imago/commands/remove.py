"""Take experiments out of params.yaml, with what they alone used and all that came of them.

Git keeps what was committed, DVC's cache and remote keep data and models until `dvc gc`.
"""

import argparse

from imago.core import paths


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("experiments", nargs="+", metavar="experiment", help="in params.yaml")


def run(chosen: argparse.Namespace) -> int:
    """Remove all, and write the overview without them."""
    from imago.project import remove  # here, for DVC takes a second to import

    for name in chosen.experiments:
        removed = remove.experiment(name)
        print(f"removed from {paths.PARAMS}: {', '.join(removed.entries)}")
        if removed.artifacts:
            print(f"deleted what came of it: {len(removed.artifacts)} files and folders")
        for decided in removed.decisions:
            print(f"{decided} stays, with what was decided; photos of that name would be under it")
    if remove.renew_overview():
        print(f"{paths.overview()} forgot what is gone")
    return 0
