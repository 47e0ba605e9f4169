"""Standard output as commands use it: a terminal or a log, by rich."""

import sys

from rich.console import Console
from rich.table import Table

WIDTH_OF_LOGS = 200
"""Enough for a whole line where no terminal says how wide it is."""
_NO_LIMIT = 1000


def console() -> Console:
    """Return standard output, as wide as its terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_LOGS, highlight=False)


def fits(table: Table, console: Console) -> bool:
    """Tell whether a table has room without a break within a cell."""
    return _wanted(table, console) <= console.width


def print_whole(table: Table) -> None:
    """Print a table with each row as one line; a terminal that is too narrow breaks it."""
    out = console()
    out.width = max(out.width, _wanted(table, out))
    out.print(table)


def _wanted(table: Table, console: Console) -> int:
    return console.measure(table, options=console.options.update(width=_NO_LIMIT)).maximum
