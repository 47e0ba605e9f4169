"""Say whether dvc.lock is current, and which stages would run, and why; needs no data.

Stages that have never run, for want of what they need, are named and count only with --all.

Exit codes: 0 current, 1 not current, 2 cannot tell, as where params.yaml breaks a rule.
"""

import argparse

from imago.core.photo_names import listed

CANNOT_TELL = 2
"""The exit code of a failure."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--all", action="store_true", help="stages that have never run make it not current"
    )


def run(chosen: argparse.Namespace) -> int:
    """Print what would run."""
    from imago import params
    from imago.project import check, dvc  # here, for DVC takes a second to import

    with dvc.project():  # and where there is none, that is said
        params.load()  # whose faults would end every stage; DVC knows only which keys have changed
    found = check.staleness()
    for names, reasons in _together(found.reasons).items():
        print(f"{names} would run: {reasons}")
    if found.followers:
        print(f"{', '.join(found.followers)} would follow, if what they need comes out different")
    if found.never_run:
        print(f"never run: {', '.join(found.never_run)}")
    if missing := check.not_in_git():
        print(f"not in git, as it should be: {listed(missing)}; `git add --all` takes it in")
    if not found.has_lock:
        print("imago check: there is no dvc.lock, so no stage has run; run `dvc repro`")
        return 1
    if found.reasons or (chosen.all and found.never_run):
        count = len(found.reasons) + (len(found.never_run) if chosen.all else 0)
        stages = "1 stage" if count == 1 else f"{count} stages"
        commands = " and ".join(f"`{command}`" for command in found.commands) or "`dvc repro`"
        print(f"imago check: dvc.lock is not current, {stages} would run; run {commands}")
        return 1
    print("imago check: dvc.lock is current")
    return 0


def _together(reasons: dict[str, list[str]]) -> dict[str, str]:
    """Put stages that would run for the same reasons into one line."""
    names: dict[str, list[str]] = {}
    for name, found in reasons.items():
        names.setdefault("; ".join(found), []).append(name)
    return {", ".join(stages): said for said, stages in names.items()}
