"""Add a zip of photos to params.yaml, with an experiment."""

import argparse
from pathlib import Path

from imago.core import paths
from imago.datasets.image_folder import folders
from imago.project import add

CLASSES_SHOWN = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("archive", type=Path, help="a zip with a folder of photos for each class")
    parser.add_argument("--name", help="of the data set and the experiment; else that of the zip")
    parser.add_argument(
        "--like", default="cat_dog_mobilenet", help="the experiment to copy; else %(default)s"
    )


def run(chosen: argparse.Namespace) -> int:
    """Add the zip and say what to run next."""
    name = chosen.name or add.name_for(chosen.archive)
    added = add.photos(chosen.archive, name, chosen.like)
    classes = folders.listed(added.classes, CLASSES_SHOWN)
    print(f"{chosen.archive}: {added.photos:,} photos of {len(added.classes)} classes: {classes}")
    if added.is_new:
        print(f"Added to {paths.PARAMS}. Look at it, and then run\n")
    else:
        print(f"{paths.PARAMS} had it before, and now has its present sha256. Run\n")
    print(f"    dvc repro report@{name}")
    print(f"\nwhich writes {paths.page(name)}, a page on what came of it.")
    return 0
