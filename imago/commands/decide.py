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
    from imago.core.photo_names import folded
    from imago.project import decide  # here, for pandas takes a while to import

    taken = decide.take_up(chosen.dataset)
    if taken.is_withdrawn:
        print(f"{taken.path} is gone, and params.yaml holds to it no more")
        print(f"For a new draft, run `dvc repro {taken.stage}` and then this again.")
        return 0
    of_photos = {folded(one.photo): one.decision for one in taken.decided}  # the last one holds
    drops = sum(decision == "drop" for decision in of_photos.values())
    is_written = bool(taken.decided) or not taken.is_draft
    if is_written:
        labels = len(of_photos) - drops
        print(f"{taken.path}: photos to drop {drops:,}, to be given a label {labels:,}")
    else:
        print(f"{taken.path}: nothing is sure enough to be drafted; nothing was written")
    for why, count in taken.left_out.items():
        print(f"left out {count:,} photo{'s' * (count != 1)} {why}")
    if taken.left_out:
        print(f"{taken.page} shows all")
    if taken.is_draft and is_written:
        print(f"A draft: look at it, change it, and run `imago decide {chosen.dataset}` again.")
    if is_written:
        print("`dvc repro` then does as it says.")
    return 0
