"""List the recipes that `imago add` knows: what they are, what they need, and what they reach."""

import argparse

from rich import box
from rich.table import Table
from rich.text import Text

from imago import params, terminal


def configure(_: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser: none."""


def run(_: argparse.Namespace) -> int:
    """Print a table, with what params.yaml has already marked."""
    from imago.project import recipes  # here, for DVC's YAML takes a while to import

    there = params.load().experiments
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Recipe")
    for title in ("Download", "Training", "Accuracy"):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("What it is", "Needs, beside package registries"):
        table.add_column(title)
    for name in recipes.names():
        about = recipes.read(name).about
        added = " (added)" if name in there else ""
        table.add_row(
            Text(f"{name}{added}"),
            f"{about.download_mb:,} MB",
            f"{about.training_s:,} s",
            f"{100 * about.accuracy:.2f} %",
            Text(about.summary),
            Text(about.needs),
        )
    terminal.print_whole(table)
    return 0
