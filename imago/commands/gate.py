"""Compare every experiment with a base revision; fails on a regression or a metric below its floor.

Without REV the working tree is compared; without --base, with the merge base with main. Where both
have the same predictions by dvc.lock nothing changed, and no data are needed; else predictions are
read from the working tree, the DVC cache or the DVC remote. docs/gate.md says how it decides.

Exit codes: 0 passed, 1 failed, 2 could not compare.
"""

import argparse

CANNOT_TELL = 2
"""The exit code of a failure."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "revision",
        nargs="?",
        metavar="REV",
        help="a commit, branch, tag or DVC experiment; else the working tree",
    )
    parser.add_argument(
        "--base", metavar="REV", help="what to compare with; else the merge base with main"
    )
    parser.add_argument(
        "--experiment",
        action="append",
        default=[],
        metavar="NAME",
        help="compare this one alone; may be given more than once",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--md", action="store_true", help="print Markdown, for a pull request")
    form.add_argument("--json", action="store_true", help="print JSON, for a program")


def run(chosen: argparse.Namespace) -> int:
    """Print what was found."""
    # Here, for they take longer to import than the other commands take to run.
    from imago import terminal
    from imago.gate import comparing, rendering

    report = comparing.report(chosen.revision, chosen.base, chosen.experiment)
    if chosen.json:
        print(terminal.as_json(rendering.as_json(report), indent=2))
    elif chosen.md:
        print(rendering.markdown(report))
    else:
        rendering.print_table(report, terminal.console())
    return report.outcome.exit_code
