"""Find damage among what DVC keeps and dvc.lock names, by reading it; exits 1 if there is any.

In the DVC cache and the working tree, or with --remote in a remote. DVC itself takes what lies in
its cache for sound. With --reproducible, make an experiment twice from nothing, and compare every
byte; takes twice as long as the experiment.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--remote", nargs="?", const="", metavar="NAME", help="read a remote, else the default one"
    )
    chosen.add_argument(
        "--reproducible", metavar="EXPERIMENT", help="make it twice in clean copies, and compare"
    )
    parser.add_argument(
        "--remove", action="store_true", help="delete what is damaged, so that it is brought anew"
    )


def run(chosen: argparse.Namespace) -> int:
    """Name everything that is damaged, and with --remove delete it."""
    if chosen.reproducible is not None:
        return _make_twice(chosen.reproducible)
    from imago.project import verify  # here, for DVC takes a second to import
    from imago.project.stores import STATES

    found = verify.cache() if chosen.remote is None else verify.of_remote(chosen.remote or None)
    where = found.store.label
    for one in found.damaged:
        print(f"{one.artifact}: damaged in {where}, {one.path}")
    digests = {
        state: {one.digest for one in found.objects if one.state == state} for state in STATES
    }
    print(f"{where}: {', '.join(f'{len(digests[state]):,} {state}' for state in STATES)}")
    for path in found.differing:
        print(
            f"{path}: is not the file that dvc.lock names; unless that was meant, delete it and "
            f"run `dvc checkout {path}`"
        )
    if chosen.remove:
        found.remove()
    if found.damaged and chosen.remove:
        print(f"What is damaged has been deleted; {found.remedy}.")
    elif found.damaged:
        print(f"Once `--remove` has deleted what is damaged, {found.remedy}.")
    return 1 if found.damaged or found.differing else 0


def _make_twice(experiment: str) -> int:
    from imago.project import reproducible

    made = reproducible.make_twice(experiment)
    for path in made.differing:
        print(f"{path}: not the same bytes twice")
    if made.unlike_lock:
        print(
            f"dvc.lock records others of {', '.join(map(str, made.unlike_lock))}: those of other "
            "code, settings or libraries, or of another kind of processor"
        )
    outcome = f"{len(made.differing):,} differ" if made.differing else "all equal"
    extent = f"{made.files:,} files, {made.bytes:,} bytes"
    print(f"{experiment}: made twice from nothing: {extent}, {outcome}")
    return 1 if made.differing else 0
