"""Add recipes, or photos of your own with an experiment on them, to params.yaml.

    imago add cifar10_cnn                 a recipe; `imago recipes` lists them
    imago add birds                       a folder with a folder of photos for each class
    imago add birds.zip                   the same as a zip or a tar
    imago add birds labels.csv            with a table: path, label and, if wanted, split and group
    imago add a.zip b.zip --name birds    several as one data set
    imago add birds.zip --like cifar10_cnn
    imago add birds --backbone ResNet50V2             on features of that net
    imago add --like birds --backbone ResNet50V2      the same photos once more, on those

Nothing is copied, and nothing is run: the bytes are pinned by their sha256, those of a folder
photo by photo in a listing, which belongs into git as params.yaml does. Without --like, image size,
framing, share of the test, epochs and weights of classes are chosen from what the photos are; the
reason stands beside each value. `imago remove` and `imago rename` undo it and give the experiment
another name.
"""

import argparse
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from imago import terminal
from imago.commands._left_out import said_of
from imago.core import paths
from imago.core.errors import ParamsError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import contents, tables
from imago.datasets.image_folder.split_folders import SPLITS

CLASSES_SHOWN = 10
ROWS_SHOWN = 30


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "what", nargs="*", help="a recipe, or a folder, a zip, a tar or a table of photos"
    )
    parser.add_argument(
        "--name", help="of the photos' data set and experiment; else that of the file"
    )
    parser.add_argument(
        "--like",
        help="the experiment or recipe that theirs is a copy of; else values are chosen from what "
        "the photos are",
    )
    parser.add_argument(
        "--backbone",
        metavar="NET",
        help="the net whose features are learnt from, one of those in docs/params.md; its weights "
        "are added with the place where they are published and their digest",
    )


def run(chosen: argparse.Namespace) -> int:
    """Add all, recipes first, and say what to run next."""
    from imago.project import recipes  # here, for DVC's YAML takes a while to import

    known = recipes.names()
    photos = [what for what in chosen.what if what not in known]
    is_copy = not chosen.what and chosen.like and chosen.backbone
    if not chosen.what and not is_copy:
        message = "name a recipe or photos of your own, or an experiment with --like and --backbone"
        raise ParamsError(message)
    if (chosen.name or chosen.like or chosen.backbone) and not photos and not is_copy:
        message = "--name, --like and --backbone are for photos of your own, got recipes alone"
        raise ParamsError(message)
    are_one = bool(chosen.name) or any(map(tables.is_table, photos))
    names = [_recipe(what) for what in chosen.what if what not in photos]
    if is_copy:
        names.append(_on_backbone(chosen.backbone, chosen.like, chosen.name))
    elif photos and are_one:
        names.append(_photos([Path(what) for what in photos], chosen))
    else:
        names += [_photos([Path(what)], chosen) for what in photos]
    pages = ", ".join(str(paths.page(name)) for name in names)
    print(f"Look at {paths.PARAMS}, and then run\n")
    print(f"    dvc repro {' '.join(f'report@{name}' for name in names)}")
    print(f"\nwhich writes {pages}.")
    return 0


def _on_backbone(net: str, like: str, name: str | None) -> str:
    from imago.project import add

    added = add.on_backbone(net, like, name)
    print(f"added to {paths.PARAMS}, like {like}: {', '.join(added.entries)}")
    return added.experiment


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


def _photos(places: list[Path], chosen: argparse.Namespace) -> str:
    from imago.project import add, defaults, recipes

    of_photos, of_tables = contents.told_apart(places)
    archive, *beside = [*of_photos, *of_tables]
    if not archive.suffix and not archive.exists():
        known = ", ".join(recipes.names()) or "there are none"
        message = f"{archive} must be a recipe ({known}) or photos of your own, and is neither"
        raise ParamsError(message)
    added = add.photos(archive, chosen.name, chosen.like, beside=beside, net=chosen.backbone)
    name, counts = added.dataset, added.arrangement.counts()
    names = [terminal.printable(name) for name in counts]
    total = f"{len(added.arrangement.places):,} photos of {len(counts)} classes"
    print(f"{archive}: {total}: {listed(names, CLASSES_SHOWN)}")
    splits = [split for split in SPLITS if added.arrangement.classes(split)]
    if added.arrangement.table:
        print(f"{of_tables[0]}: {added.arrangement.table}")
    for line in (
        *_table(names, list(counts.values()), splits),
        *said_of(added.arrangement.unused),
    ):
        print(line)
    alone = [name for name, count in zip(names, counts.values(), strict=True) if count.total() < 2]
    if alone and "test" not in splits:
        print(f"one photo is too few for training and test: {listed(alone)}; add photos")
    if added.difference:
        print(f"since it was added: {added.difference}")
    if archive.is_dir():
        print(f"{paths.listing(name)} lists the photos with their sha256; git should keep it")
    if not added.is_new:
        print(
            f"{paths.PARAMS} had it before, and now has its present sha256 and place; the values "
            "that were chosen for it stay, with reasons of that time"
        )
    elif chosen.like:
        print(f"added to {paths.PARAMS}, as {name}, like {chosen.like}")
    else:
        print(f"chosen from what they are: {defaults.summary(added.choices)}")
        print(f"added to {paths.PARAMS}, as {name}, with the reason beside each value")
    return added.experiment


def _table(
    names: Sequence[str], counts: Sequence[Counter[SplitName]], splits: Sequence[SplitName]
) -> Iterator[str]:
    """Yield a line for each of the first classes: how many photos it has in each split."""
    width = max(map(terminal.cells, names))
    titles = splits if len(splits) > 1 else ["photos"]
    yield " " * (width + 2) + "".join(f"{title:>12}" for title in titles)
    for name, found in itertools.islice(zip(names, counts, strict=True), ROWS_SHOWN):
        room = " " * (width - terminal.cells(name))
        yield f"  {name}{room}" + "".join(f"{found[split]:>12,}" for split in splits)
    if (more := len(names) - ROWS_SHOWN) > 0:
        totals = [found.total() for found in counts]
        least, most = f"{min(totals):,}", f"{max(totals):,}"
        each = least if least == most else f"{least} to {most}"
        yield f"  and {more:,} more {'class' if more == 1 else 'classes'}; all have {each} photos"
