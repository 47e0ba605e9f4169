"""Give an experiment another name; nothing is trained again."""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("old", help="an experiment in params.yaml")
    parser.add_argument("new", help="its new name")


def run(chosen: argparse.Namespace) -> int:
    """Rename, and say what is to be run."""
    from imago.project import rename  # here, for DVC takes a second to import

    stages = rename.experiment(chosen.old, chosen.new)
    print(f"{chosen.old} is {chosen.new}. What has the name in it is to be made again: run\n")
    print(f"    dvc repro {' '.join(stage for stage in stages if stage.startswith('report@'))}")
    print("    dvc repro --single-item overview")
    return 0
