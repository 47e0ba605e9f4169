"""The command line that the stages share."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from imago.core import boundary, cluster, kept_lock, running, upstream

# Arrow reads this once, when pandas brings it. Its own allocator keeps what a table needed while it
# was written: 22 MB of the 184 that `evaluate` of 32,000 photos took.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def run(main: Callable[[str], None], description: str | None) -> NoReturn:
    """Call `main` with the name given on the command line, and exit; see `boundary.run`.

    Args:
        main: The stage; takes the name of a data set, variant or experiment.
        description: The stage's docstring, shown by --help.
    """
    stage = Path(sys.argv[0]).stem
    parser = _parser(stage, description)
    parser.add_argument("name", help="a name from the section of params.yaml that the stage reads")
    name = parser.parse_args().name
    _call(lambda: main(name), f"{stage} {name}")


def run_alone(main: Callable[[], None], description: str | None) -> NoReturn:
    """Call `main` of a stage that stands once and takes no name, and exit."""
    stage = Path(sys.argv[0]).stem
    _parser(stage, description).parse_args()
    _call(main, stage)


def _parser(stage: str, description: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"python -m stages.{stage}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _call(main: Callable[[], None], what: str) -> NoReturn:
    def work() -> None:
        _log_plain_lines()
        own = cluster.member()
        with running.alone(what if own.count == 1 else f"{what}, process {own.index}"):
            if own.is_chief:
                kept_lock.keep()
                if running.DVC_VARIABLE in os.environ:
                    upstream.check(os.environ[running.DVC_VARIABLE])
            main()

    raise SystemExit(boundary.run(what, work))


class _PlainLines(logging.StreamHandler[TextIO]):
    """Writes to standard output, and fails where that fails."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Raise what was raised, which `logging` would print and forget."""
        raise


def _log_plain_lines() -> None:
    logger = logging.getLogger("imago")
    handler = _PlainLines(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # absl, which Keras imports, gives the root logger a handler too
