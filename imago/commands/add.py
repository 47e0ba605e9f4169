"""Add recipes, or a zip of photos with an experiment on it, to params.yaml.

    imago add cifar10_cnn                 a recipe; `imago recipes` lists them
    imago add birds.zip                   a zip with a folder of photos for each class
    imago add birds.zip --like cifar10_cnn

Nothing is run. `imago remove` and `imago rename` undo it and give the experiment another name.
"""

import argparse
from pathlib import Path

from imago.core import paths
from imago.core.errors import ParamsError
from imago.datasets.image_folder import folders

CLASSES_SHOWN = 10
LIKE = "cat_dog_mobilenet"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("what", nargs="+", help="a recipe, or a zip of photos")
    parser.add_argument(
        "--name", help="of the zip's data set and experiment; else that of the file"
    )
    parser.add_argument(
        "--like",
        help=f"the experiment or recipe that a zip's experiment is a copy of; else {LIKE}",
    )


def run(chosen: argparse.Namespace) -> int:
    """Add all, in the order given, and say what to run next."""
    from imago.project import recipes  # here, for DVC's YAML takes a while to import

    known = recipes.names()
    zips = [what for what in chosen.what if what not in known]
    if chosen.name and len(zips) != 1:
        message = f"--name is for one zip of photos, got {len(zips)} with it"
        raise ParamsError(message)
    if chosen.like and not zips:
        message = "--like is for a zip of photos, got recipes alone"
        raise ParamsError(message)
    names = [
        _photos(Path(what), chosen.name, chosen.like or LIKE) if what in zips else _recipe(what)
        for what in chosen.what
    ]
    pages = ", ".join(str(paths.page(name)) for name in names)
    print(f"Look at {paths.PARAMS}, and then run\n")
    print(f"    dvc repro {' '.join(f'report@{name}' for name in names)}")
    print(f"\nwhich writes {pages}.")
    return 0


def _recipe(name: str) -> str:
    from imago.project import add, recipes

    added = add.recipe(name)
    if not added.entries:
        print(f"{paths.PARAMS} has {name}")
        return name
    about = recipes.read(name).about
    print(f"{name}: {about.summary}; downloads {about.download_mb:,} MB; needs {about.needs}")
    print(f"added to {paths.PARAMS}: {', '.join(added.entries)}")
    return name


def _photos(archive: Path, name: str | None, like: str) -> str:
    from imago.project import add, recipes

    if not archive.suffix and not archive.exists():
        known = ", ".join(recipes.names()) or "there are none"
        message = f"{archive} must be a recipe ({known}) or a zip of photos, and is neither"
        raise ParamsError(message)
    name = name or add.name_for(archive)
    added = add.photos(archive, name, like)
    classes = folders.listed(added.classes, CLASSES_SHOWN)
    print(f"{archive}: {added.photos:,} photos of {len(added.classes)} classes: {classes}")
    print(
        f"added to {paths.PARAMS}, as {name}, like {like}"
        if added.is_new
        else f"{paths.PARAMS} had it before, and now has its present sha256 and place"
    )
    return name
