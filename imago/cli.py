"""The command `imago`, for what is no stage."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from imago import adding, missing, params, paths
from imago.errors import ImagoError
from imago.photos import folders

CLASSES_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code; a failure that the user can mend is one line and 1."""
    parser = argparse.ArgumentParser(prog="imago", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "missing", help="say which experiments have not run for want of data; exits 1 if any"
    )
    add = commands.add_parser("add", help="add a zip of photos to params.yaml, with an experiment")
    add.add_argument("archive", type=Path, help="a zip with a folder of photos for each class")
    add.add_argument("--name", help="of the data set and the experiment; else that of the zip")
    add.add_argument(
        "--like", default="cat_dog_mobilenet", help="the experiment to copy; else %(default)s"
    )
    chosen = parser.parse_args(arguments)
    try:
        return {"add": _add, "missing": _missing}[chosen.command](chosen)
    except (ImagoError, OSError) as error:
        print(f"imago {chosen.command}: {error}", file=sys.stderr)
        return 1


def _add(chosen: argparse.Namespace) -> int:
    name = chosen.name or adding.name_for(chosen.archive)
    added = adding.add(chosen.archive, name, chosen.like)
    classes = folders.listed(added.classes, CLASSES_SHOWN)
    print(f"{chosen.archive}: {added.photos:,} photos of {len(added.classes)} classes: {classes}")
    if added.is_new:
        print(f"Added to {paths.PARAMS}. Look at it, and then run\n")
    else:
        print(f"{paths.PARAMS} had it before, and now has its present sha256. Run\n")
    print(f"    dvc repro evaluate@{name} preview@{added.variant}")
    print(f"    dvc metrics show metrics/{name}.json")
    return 0


def _missing(_: argparse.Namespace) -> int:
    settings = params.load()
    found = missing.gaps(settings)
    print(missing.explain(found, settings))
    return 1 if found else 0
