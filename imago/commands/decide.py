"""Decide on photos: draft decisions/<data set>.csv from what `dvc repro inspect@…` found.

The draft is to be looked at and edited. Run this again after each change of the table: it checks
every row, and writes the table's digest into params.yaml, by which DVC knows that extract is to run
again.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("dataset", metavar="data set", help="in params.yaml, of photos in folders")


def run(chosen: argparse.Namespace) -> int:
    """Take the decisions up, and say how many there are."""
    from imago.project import decide  # here, for pandas takes a while to import

    taken = decide.take_up(chosen.dataset)
    of_photos = {one.photo: one.decision for one in taken.decided}  # the last one holds
    drops = sum(decision == "drop" for decision in of_photos.values())
    is_written = bool(taken.decided) or not taken.is_draft
    if is_written:
        labels = len(of_photos) - drops
        print(f"{taken.path}: photos to drop {drops:,}, to be given a label {labels:,}")
    else:
        print(f"{taken.path}: nothing is sure enough to be drafted; nothing was written")
    if taken.unsure:
        print(f"{_are(taken.unsure, 'photo')} left out, of which it is less sure")
    if taken.of_test:
        print(
            f"{_are(taken.of_test, 'test photo')} left out: a model must not choose what it is "
            "tested on"
        )
    if taken.unsure or taken.of_test:
        print(f"{taken.page} shows all")
    if taken.is_draft and is_written:
        print(f"A draft: look at it, change it, and run `imago decide {chosen.dataset}` again.")
    if is_written:
        print("`dvc repro` then does as it says.")
    return 0


def _are(count: int, what: str) -> str:
    return f"{count:,} {what}s to look at are" if count > 1 else f"1 {what} to look at is"
