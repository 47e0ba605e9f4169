"""Standard output as commands use it: a terminal or a log; tables by rich."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # rich takes a while to import, and one prediction must not wait for it
    from rich.console import Console
    from rich.table import Table

WIDTH_OF_LOGS = 200
"""Enough for a whole line where no terminal says how wide it is."""
_WIDTH_OF_TERMINALS = 80
"""Where one does not say how wide it is."""
_NO_LIMIT = 1000
_NO_BREAK = "\N{NO-BREAK SPACE}"
_BREAKING = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of what ends a line, steers a terminal or is no letter at all."""
_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""Unicode's bidirectional classes of what turns the letters around it."""


def console() -> Console:
    """Return standard output, as wide as its terminal."""
    from rich.console import Console

    return Console(width=columns() or WIDTH_OF_LOGS, highlight=False)


def columns() -> int | None:
    """Return the width that COLUMNS or the terminal says; of a log None."""
    fallback = _WIDTH_OF_TERMINALS if sys.stdout.isatty() else 0
    return shutil.get_terminal_size((fallback, 0)).columns or None


def fits(table: Table, console: Console) -> bool:
    """Tell whether a table has room without a break within a cell."""
    return _wanted(table, console) <= console.width


def print_whole(table: Table) -> None:
    """Print a table with each row as one line, or as a paragraph where the terminal is narrow."""
    from rich.text import Text

    out = console()
    if columns() is None:
        out.width = max(out.width, _wanted(table, out))
    if fits(table, out):
        out.print(table)
        return
    for first, others in _paragraphs(table):
        if first:
            out.print(Text(first, "bold"), soft_wrap=True)
        out.print(Text(folded(others, out.width)), soft_wrap=True)


def folded(items: Iterable[str], width: int, between: str = " · ", indent: int = 0) -> str:
    """Break lines between items, within one only where it is longer than a line, never in words."""
    room = width - indent - len(between)
    tied = (item.replace(" ", _NO_BREAK) if len(item) <= room else item for item in items)
    return textwrap.fill(
        between.join(tied),
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(_NO_BREAK, " ")


def as_json(value: object, indent: int | None = None) -> str:
    """Write JSON; as ASCII, which says the same, where standard output lacks one of the letters."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def printable(name: str) -> str:
    r"""Write what would break a line, or is no text, as escapes such as \n and \udce9."""
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in _BREAKING
        or unicodedata.bidirectional(letter) in _TURNING
        else letter
        for letter in name
    )


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese letter takes two."""
    return sum(
        (unicodedata.east_asian_width(letter) in "WF") + (not unicodedata.combining(letter))
        for letter in text
    )


def _paragraphs(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Yield of each row its first cell, and the others; with the titles of their columns."""
    titles = [f"{column.header} " for column in table.columns]
    if table.columns[0].justify == "left":  # a name, which says what it is
        titles[0] = ""
    for row in zip(*(column.cells for column in table.columns), strict=True):
        first, *others = (f"{title}{cell}" for title, cell in zip(titles, row, strict=True))
        yield first, [text for text in others if not text.endswith(" ")]  # those without a value


def _wanted(table: Table, console: Console) -> int:
    return console.measure(table, options=console.options.update(width=_NO_LIMIT)).maximum
