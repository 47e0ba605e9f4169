"""The result as tables on a terminal, and as JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imago import terminal
from imago.reports import numbers
from imago.score.result import Result
from imago.scoring.floors import Floor
from imago.scoring.intervals import Interval
from imago.scoring.metric import Kind

CONFUSIONS_SHOWN = 5
CLASSES_SHOWN = 30


def print_tables(result: Result, console: Console) -> None:
    """Print the metrics, the classes, the confusions, and what to know of the photos."""
    console.print(Text(title(result), "bold"), soft_wrap=True)
    terminal.print_whole(_metrics(result))
    terminal.print_whole(_classes(result))
    if (more := len(result.per_class) - CLASSES_SHOWN) > 0:
        console.print(Text(f"and {more:,} more classes, of greater recall"))
    if result.confusions:
        terminal.print_whole(_confusions(result))
    for note in result.notes:
        console.print(Text(terminal.printable(note)), soft_wrap=True)


def title(result: Result) -> str:
    """Say what was scored by what."""
    photos = numbers.counted(len(result.predictions.labels), "photo")
    of_split = f", split {result.split}" if result.split else ""
    return f"{terminal.printable(result.where)}{of_split}: {photos}, scored by {result.model}"


def interval(ends: Interval | None, kind: Kind) -> str:
    """Write an interval, of a share in percent; nothing where there is none."""
    if ends is None or np.isnan(ends[0]):
        return ""
    if kind == "share":
        return f"{100 * ends[0]:.2f} to {100 * ends[1]:.2f}"
    return f"{ends[0]:.4f} to {ends[1]:.4f}"


def as_json(result: Result, floors: Sequence[Floor]) -> dict[str, Any]:
    """Return everything but the answer for each photo as plain values."""
    found = result.predictions
    return {
        "model": result.model,
        "photos": result.where,
        "split": result.split,
        "leading": result.shown[0].name,
        "metrics": result.metrics,
        "intervals": {name: list(ends) for name, ends in result.intervals.items()},
        "floors": [
            {
                "metric": floor.metric.name,
                "bound": floor.bound,
                "is_met": floor.is_met(result.metrics),
            }
            for floor in floors
        ],
        "classes": [
            {name: None if value != value else value for name, value in row.items()}  # NaN
            for row in result.per_class.to_dict("records")
        ],
        "confusions": [
            {
                "true": one.true,
                "predicted": one.predicted,
                "count": len(one.rows),
                "share": one.share,
                "photos": [found.photos[row] for row in one.rows],
            }
            for one in result.confusions
        ],
        "answered": result.answered,
        "unreadable": result.answers.unreadable,
        "left_out": dict(result.left_out),
        "notes": list(result.notes),
    }


def _metrics(result: Result) -> Table:
    table = _table("metric", "value", "95 % interval")
    for one in result.shown:
        ends = interval(result.intervals.get(one.name), one.kind)
        value = numbers.text(result.metrics[one.name], one.kind)
        table.add_row(*map(Text, (one.title, value, ends)))
    return table


def _classes(result: Result) -> Table:
    """The classes of the least recall, those without photos last."""
    table = _table("class", "photos", "recall", "95 % interval", "precision", "F1")
    rows = result.per_class.sort_values(
        by="recall", key=lambda recall: recall.where(result.per_class["support"] > 0), kind="stable"
    )
    for row in rows.head(CLASSES_SHOWN).to_dict("records"):
        shares = [row["recall"] if row["support"] else None, row["precision"], row["f1"]]
        recall, *others = (numbers.text(share, "share") for share in shares)
        ends = interval((row["recall_low"], row["recall_high"]), "share")
        name, photos = terminal.printable(row["class"]), numbers.count(row["support"])
        table.add_row(*map(Text, (name, photos, recall, ends, *others)))
    return table


def _confusions(result: Result) -> Table:
    table = _table("taken for another class", "for", "photos", "of the class", "such as")
    table.columns[1].justify = table.columns[4].justify = "left"
    for one in result.confusions[:CONFUSIONS_SHOWN]:
        such_as = result.predictions.photos[one.rows[0]]
        names = map(terminal.printable, (one.true, one.predicted))
        share = numbers.text(one.share, "share")
        cells = (*names, numbers.count(len(one.rows)), share, terminal.printable(such_as))
        table.add_row(*map(Text, cells))
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table
