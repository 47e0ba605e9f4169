"""Print the results of all experiments, one line each.

They are those of metrics/, which git keeps; sizes of exports are those of reports/cards.
"""

import argparse
import textwrap

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imago import params, terminal
from imago.core import paths
from imago.project import results as project_results
from imago.reports import results
from imago.reports.results import COLUMNS, TEXTS, Result

NO_BREAK = "\N{NO-BREAK SPACE}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("--md", action="store_true", help="as Markdown, to be pasted")


def run(chosen: argparse.Namespace) -> int:
    """Print a table of what has run, what has not, and where the report is."""
    found, absent = project_results.found(params.load())
    if chosen.md:
        print(results.markdown(found))
        return 0
    console = terminal.console()
    if found:
        _print(console, found)
    if absent:
        console.print(Text(f"not run yet: {', '.join(absent)}"))
    if paths.overview().is_file():
        console.print(Text(f"report: {paths.overview()}"))
    return 0


def _print(console: Console, found: list[Result]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        is_text = column.title in TEXTS
        table.add_column(column.title, justify="left" if is_text else "right", no_wrap=True)
    for result in found:
        table.add_row(*(Text(column.text(result)) for column in COLUMNS))
    if terminal.fits(table, console):
        console.print(table)
        return
    for result in found:  # too narrow for a line each: a paragraph each
        name, *others = (f"{column.title} {column.text(result)}" for column in COLUMNS)
        console.print(Text(name.removeprefix(f"{COLUMNS[0].title} "), style="bold"))
        console.print(Text(_paragraph(others, console.width)))


def _paragraph(items: list[str], width: int) -> str:
    """Break lines between items, and within one only where it is longer than a line."""
    tied = " · ".join(item.replace(" ", NO_BREAK) for item in items)
    return textwrap.fill(tied, width).replace(NO_BREAK, " ")
