"""Print the results of all experiments, one line each.

They are those of metrics/, which git keeps; sizes of exports are those of reports/cards.
"""

import argparse

from rich import box
from rich.table import Table
from rich.text import Text

from imago import params, terminal
from imago.core import paths
from imago.project import results as project_results
from imago.reports import results
from imago.reports.results import TEXTS, Result


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("--md", action="store_true", help="as Markdown, to be pasted")


def run(chosen: argparse.Namespace) -> int:
    """Print a table of what has run, what has not, and where the report is."""
    found, absent = project_results.found(params.load())
    if chosen.md:
        print(results.markdown(found))
        return 0
    if found:
        terminal.print_whole(_table(found))
    if said := results.note(found):
        terminal.console().print(Text(said))
    if absent:
        terminal.console().print(Text(f"not run yet: {', '.join(absent)}"))
    if paths.overview().is_file():
        terminal.console().print(Text(f"report: {paths.overview()}"))
    return 0


def _table(found: list[Result]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = results.columns(found)
    for column in columns:
        is_text = column.title in TEXTS
        table.add_column(column.title, justify="left" if is_text else "right", no_wrap=True)
    for result in found:
        table.add_row(*(Text(column.text(result)) for column in columns))
    return table
