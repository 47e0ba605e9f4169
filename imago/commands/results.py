"""Print the results of all experiments, one line each.

They are those of metrics/, which git keeps; sizes of exports are those of reports/cards.
"""

import argparse
import sys
import textwrap

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imago import params
from imago.core import files, paths
from imago.reports import results
from imago.reports.results import COLUMNS, TEXTS, Result
from imago.scoring import summary

WIDTH_OF_LOGS = 200
"""Enough for a whole line where no terminal says how wide it is."""
NO_BREAK = "\N{NO-BREAK SPACE}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("--md", action="store_true", help="as Markdown, to be pasted")


def run(chosen: argparse.Namespace) -> int:
    """Print a table of what has run, what has not, and where the report is."""
    settings = params.load()
    found = results.ordered(_found(settings))
    there = {result.experiment for result in found}
    absent = [name for name in settings.experiments if name not in there]
    if chosen.md:
        print(results.markdown(found))
        return 0
    width = None if sys.stdout.isatty() else WIDTH_OF_LOGS
    console = Console(width=width, highlight=False)
    if found:
        _print(console, found)
    if absent:
        console.print(Text(f"not run yet: {', '.join(absent)}"))
    if paths.overview().is_file():
        console.print(Text(f"report: {paths.overview()}"))
    return 0


def _found(settings: params.Params) -> list[Result]:
    found = []
    for name, experiment in settings.experiments.items():
        if not paths.metrics(name).is_file():
            continue
        card = files.read_json(paths.card(name)) if paths.card(name).is_file() else {"exports": {}}
        found.append(
            Result(
                experiment=name,
                dataset=settings.prepare[experiment.variant].dataset,
                metrics=summary.read(paths.metrics(name)),
                export_bytes={kind: one["bytes"] for kind, one in card["exports"].items()},
            )
        )
    return found


def _print(console: Console, found: list[Result]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        is_text = column.title in TEXTS
        table.add_column(column.title, justify="left" if is_text else "right", no_wrap=True)
    for result in found:
        table.add_row(*(Text(column.text(result)) for column in COLUMNS))
    wanted = console.measure(table, options=console.options.update(width=WIDTH_OF_LOGS)).maximum
    if wanted <= console.width:
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
