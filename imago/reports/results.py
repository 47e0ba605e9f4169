"""The table over all experiments, for the page, the terminal and Markdown alike."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imago.core.photo_names import listed
from imago.reports import numbers
from imago.scoring import metric
from imago.scoring.intervals import Interval
from imago.scoring.metric import Metric


@dataclass(frozen=True)
class Result:
    """A row of the table.

    Attributes:
        experiment: Its name.
        dataset: The name of the data set that it learnt from.
        metrics: Of metrics/<experiment>.json.
        export_bytes: Bytes of each exported format; empty where none is known.
    """

    experiment: str
    dataset: str
    metrics: Mapping[str, float]
    export_bytes: Mapping[str, int]


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        title: At its head.
        explanation: What it says.
        value: By which rows are sorted; None where there is none.
        text: As people read it.
    """

    title: str
    explanation: str
    value: Callable[[Result], str | float | None]
    text: Callable[[Result], str]


def of_card(card: Mapping[str, Any]) -> Result:
    """Return the row of a model card."""
    sizes = {name: export["bytes"] for name, export in card["exports"].items()}
    return Result(card["experiment"], card["data"]["dataset"]["name"], card["metrics"], sizes)


def ordered(results: Iterable[Result]) -> list[Result]:
    """Put experiments of one data set together, the best first, by what leads there."""
    return sorted(
        results,
        key=lambda row: (
            row.dataset,
            -row.metrics[metric.leading(row.metrics).name],
            row.experiment,
        ),
    )


def columns(results: Iterable[Result]) -> tuple[Column, ...]:
    """Return the columns of a table: with balanced accuracy where it leads in a row."""
    is_led = any(metric.leading(row.metrics) != ACCURACY for row in results)
    leading = (_of_metric(BALANCED), INTERVAL_OF_LEADING, _of_metric(ACCURACY))
    shown = leading if is_led else (_of_metric(ACCURACY), INTERVAL)
    return (*NAMES, *shown, *map(_of_metric, OTHERS), EXPORTS)


def note(results: Sequence[Result]) -> str:
    """Say of which figure the interval is, where that is not the same in all rows."""
    equal = [row.experiment for row in results if metric.leading(row.metrics) == ACCURACY]
    if not equal or len(equal) == len(results):
        return ""
    return f"The interval is of the balanced accuracy, of {listed(equal)} of the accuracy."


def _ends(row: Result) -> Interval:
    return metric.interval(metric.leading(row.metrics), row.metrics)


def markdown(results: Sequence[Result]) -> str:
    """Write the table for READMEs and pull requests."""
    shown = columns(results)
    aligned = [":--" if column.title in TEXTS else "--:" for column in shown]
    rows = [[column.title for column in shown], aligned]
    rows += [[_cell(column, result) for column in shown] for result in results]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    said = note(results)
    return f"{table}\n\n{said}" if said else table


def _cell(column: Column, result: Result) -> str:
    text = column.text(result)
    return f"`{text}`" if column.title in TEXTS else text  # _ is no emphasis in code


def _of_metric(shown: Metric) -> Column:
    return Column(
        shown.title,
        shown.in_short or shown.explanation,
        value=lambda row: row.metrics.get(shown.name),
        text=lambda row: numbers.text(row.metrics.get(shown.name), shown.kind),
    )


def _interval(row: Result) -> str:
    low, high = _ends(row)
    return f"{100 * low:.2f} to {100 * high:.2f}"


def _total_bytes(row: Result) -> int | None:
    return sum(row.export_bytes.values()) or None


TEXTS = ("Experiment", "Data set")
ACCURACY, BALANCED = metric.named("accuracy"), metric.named("balanced_accuracy")
OTHERS = [one for one in metric.known() if one.has_column and one.name != ACCURACY.name]
NAMES = (
    Column(
        "Experiment",
        "Its name in params.yaml.",
        lambda row: row.experiment,
        lambda row: row.experiment,
    ),
    Column(
        "Data set",
        "What it learnt from and was tested on.",
        lambda row: row.dataset,
        lambda row: row.dataset,
    ),
)
INTERVAL = Column(
    "95 % interval",
    "Where the accuracy may lie for all that this many test images can say, in percent.",
    lambda row: _ends(row)[0],
    _interval,
)
INTERVAL_OF_LEADING = Column(
    "95 % interval",
    "Where the balanced accuracy, or of equal classes the accuracy, may lie for all that this many "
    "test images can say, in percent.",
    lambda row: _ends(row)[0],
    _interval,
)
EXPORTS = Column(
    "Exports",
    "Size of all exported formats together.",
    _total_bytes,
    lambda row: numbers.text(_total_bytes(row), "bytes"),
)
