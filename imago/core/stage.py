"""The command line that the stages share."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from imago.core.errors import ImagoError


def run(main: Callable[[str], None], description: str | None) -> None:
    """Call `main` with the name given on the command line.

    A failure that the user can mend (ImagoError, OSError) ends as lines on standard error and
    exit code 1, not as a traceback.

    Args:
        main: The stage; takes the name of a data set, variant or experiment.
        description: The stage's docstring, shown by --help.
    """
    stage = Path(sys.argv[0]).stem
    parser = _parser(stage, description)
    parser.add_argument("name", help="a name from the section of params.yaml that the stage reads")
    name = parser.parse_args().name
    _call(lambda: main(name), f"{stage} {name}")


def run_alone(main: Callable[[], None], description: str | None) -> None:
    """Call `main` of a stage that stands once and takes no name; the rest as of `run`."""
    stage = Path(sys.argv[0]).stem
    _parser(stage, description).parse_args()
    _call(main, stage)


def _parser(stage: str, description: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"python -m stages.{stage}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _call(main: Callable[[], None], what: str) -> None:
    _log_plain_lines()
    try:
        main()
    except (ImagoError, OSError) as error:
        print(f"{what}: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    except KeyboardInterrupt as interrupt:
        print(f"{what}: interrupted", file=sys.stderr)
        raise SystemExit(130) from interrupt  # 128 + SIGINT, as shells have it


def _log_plain_lines() -> None:
    logger = logging.getLogger("imago")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # absl, which Keras imports, gives the root logger a handler too
