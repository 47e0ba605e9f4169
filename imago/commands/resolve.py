"""Resolve a merge that stopped over params.yaml, dvc.lock, metrics or reports.

What one side changed in params.yaml is taken from there; of each stage that both sides ran, the run
is kept that fits the merged parameters and code. Nothing is run again that one of them has run.

Exit codes: 0 resolved, 1 something is left to be done by hand.
"""

import argparse

from imago.core import paths


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    side = parser.add_mutually_exclusive_group()
    for name, of in (("ours", "this branch"), ("theirs", "the other branch")):
        side.add_argument(
            f"--{name}",
            dest="prefer",
            action="store_const",
            const=name,
            help=f"where both sides changed a value of {paths.PARAMS}, take that of {of}",
        )


def run(chosen: argparse.Namespace) -> int:
    """Resolve what can be, and say what is left to do."""
    from imago.project import resolve  # here, for DVC takes a second to import

    resolved = resolve.merge(chosen.prefer)
    for side, said in (("ours", "this branch"), ("theirs", "the other branch")):
        if stages := [stage for stage, taken in resolved.taken.items() if taken == side]:
            print(f"as {said} ran them: {', '.join(stages)}")
    for name in resolved.renewed_twice:
        print(
            f"{name}: both sides took other photos in, and those of one stay; `imago add` of a "
            f"folder with all, with --name {name}, takes in all"
        )
    if resolved.left:
        print(f"to be merged by hand: {', '.join(resolved.left)}; then run `git add` on them")
    if commands := resolved.staleness.commands:
        print("run by neither as they are now; to run them:\n")
        print("\n".join(f"    {command}" for command in commands))
        print()
    if not resolved.left:
        print(f"resolved; `{resolved.conclusion}` concludes the merge")
    return 1 if resolved.left else 0
