"""The command `imago`, for what is no stage; each of its commands is a module of imago.commands."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from imago import commands
from imago.core import boundary, registry, resources

if Path(sys.argv[0]).match("imago") or Path(sys.argv[0]).match("imago/__main__.py"):
    boundary.guard_imports("imago")
    resources.demand()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a failure is one line and 1, or what it says."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return boundary.run("imago", lambda: _run(words))


def _run(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="imago", description=_first_line(commands))
    subparsers = parser.add_subparsers(dest="command", metavar="command", required=True)
    modules = _modules(words[0] if words else "")
    for name, module in modules.items():
        summary = _first_line(module)
        module.configure(
            subparsers.add_parser(
                name,
                help=(summary[0].lower() + summary[1:].removesuffix(".")).replace("%", "%%"),
                description=module.__doc__,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    chosen = parser.parse_args(words)
    module = modules[chosen.command]
    return boundary.run(
        f"imago {chosen.command}", lambda: module.run(chosen), getattr(module, "CANNOT_TELL", 1)
    )


def _modules(wanted: str) -> dict[str, ModuleType]:
    """Import the module of a command, or of every command where there is no such one.

    One alone, since a command that answers at once must not wait for the imports of the others.
    """
    names = registry.names(commands)
    return {
        name: registry.load(commands, name, "configure", "run")
        for name in ([wanted] if wanted in names else names)
    }


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").split("\n", 1)[0]
