"""The findings as a table on a terminal, as Markdown and as JSON."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imago import terminal
from imago.gate.comparing import Report
from imago.gate.verdicts import Finding, Judged, Outcome, Verdict
from imago.scoring import floors
from imago.scoring.metric import Kind

COLUMNS = (
    "experiment",
    "metric",
    "base",
    "here",
    "change",
    "95 % interval",
    "p, adjusted",
    "floor",
    "verdict",
)
_IN_TEXT = ("experiment", "metric", "verdict")
_FIRST_TO_GO = ("95 % interval", "floor", "p, adjusted")
"""Where the terminal is narrow; a floor that is not met stands below the table too."""
_COLORS: dict[str, str] = {
    Verdict.REGRESSION: "bold red",
    Verdict.MISSING: "bold red",
    Verdict.NOT_COMPARED: "bold yellow",
    Verdict.WORSE_WITHIN_NOISE: "yellow",
    Verdict.BETTER: "green",
    Outcome.PASS: "bold green",
    Outcome.FAIL: "bold red",
}
_NOT_MET = " not met"
_SAYINGS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.NOT_COMPARED: "could not compare",
}


def print_table(report: Report, console: Console) -> None:
    """Print a table, below it the notes, and the outcome in one line."""
    for left_out in range(len(_FIRST_TO_GO) + 1):
        table = _table(report, [name for name in COLUMNS if name not in _FIRST_TO_GO[:left_out]])
        if terminal.fits(table, console):
            break
    console.print(Text(report.title, "bold"), soft_wrap=True)
    terminal.print_whole(table)
    for line in _notes(report.findings):
        console.print(Text(line), soft_wrap=True)
    console.print(Text(conclusion(report), _COLORS.get(report.outcome, "bold yellow")))


def _table(report: Report, columns: Sequence[str]) -> Table:
    table = Table()
    for column in columns:
        table.add_column(column, justify="left" if column in _IN_TEXT else "right")
    for finding in report.findings:
        for *cells, floor, verdict in _rows(finding):
            style = _COLORS[Outcome.FAIL] if floor.endswith(_NOT_MET) else ""
            colored = Text(floor, style), Text(verdict, _COLORS.get(verdict, ""))
            # Not as plain strings, in which a class named [old] would be taken for markup.
            shown = dict(zip(COLUMNS, (*map(Text, cells), *colored), strict=True))
            table.add_row(*(shown[column] for column in columns))
        table.add_section()
    return table


def markdown(report: Report) -> str:
    """Return a heading, a table and the notes, for a pull request or a step summary."""
    lines = [
        f"### imago gate: {_SAYINGS[report.outcome]}",
        "",
        _escaped(report.title),
        "",
        f"| {' | '.join(COLUMNS)} |",
        "".join("|---" if column in _IN_TEXT else "|--:" for column in COLUMNS) + "|",
    ]
    for finding in report.findings:
        for row in _rows(finding):
            bold = row[-1] in (Verdict.REGRESSION, Verdict.MISSING, Verdict.NOT_COMPARED)
            cells = [*map(_escaped, row[:-1]), f"**{row[-1]}**" if bold else row[-1]]
            lines.append(f"| {' | '.join(cells)} |")
    if notes := list(_notes(report.findings)):
        lines += ["", *(f"- {_escaped(note)}" for note in notes)]
    return "\n".join([*lines, "", _escaped(conclusion(report))])


def as_json(report: Report) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "base": {"name": report.base.label, "commit": report.base.commit},
        "here": {"name": report.here.label, "commit": report.here.commit},
        "significance_level": report.gate.significance_level,
        "result": report.outcome.value,
        "exit_code": report.outcome.exit_code,
        "experiments": [_finding_as_json(finding) for finding in report.findings],
    }


def conclusion(report: Report) -> str:
    """Say the outcome in one line, naming what is to blame."""
    parts = []
    for outcome in (Outcome.FAIL, Outcome.NOT_COMPARED):
        if blamed := [one.experiment for one in report.findings if one.outcome == outcome]:
            parts.append(f"{_SAYINGS[outcome]} {', '.join(blamed)}")
    return f"imago gate: {'; '.join(parts) or _SAYINGS[Outcome.PASS]}"


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "experiment": finding.experiment,
        "verdict": finding.verdict.value,
        "result": finding.outcome.value,
        "floors": [
            {
                "metric": floor.metric.name,
                "floor": floor.bound,
                "value": finding.metrics.get(floor.metric.name),
                "is_met": floor.is_met(finding.metrics),
            }
            for floor in finding.floors
        ],
        "metrics": [_judged_as_json(one) for one in finding.judged if one.change.of_class is None],
        "classes": [_judged_as_json(one) for one in finding.judged if one.change.of_class],
        "recorded": [dataclasses.asdict(one) for one in finding.recorded],
        "notes": list(finding.notes),
    }


def _judged_as_json(judged: Judged) -> dict[str, Any]:
    change = judged.change
    return {
        "metric": change.metric,
        **({"class": change.of_class} if change.of_class is not None else {}),
        "examples": change.examples,
        "base": change.base,
        "here": change.here,
        "change": change.change,
        "interval": [change.low, change.high],
        "p_value": judged.p_value,
        "verdict": judged.verdict.value,
    }


def _rows(finding: Finding) -> Iterator[tuple[str, ...]]:
    """Yield a row for each metric, each class that regressed and each floor, in that order.

    What was not compared has one for each metric that git says has changed.
    """
    left = {floor.metric.name: floor for floor in finding.floors}

    def of_floor(metric: str) -> str:
        if (floor := left.pop(metric, None)) is None:
            return ""
        bound = _number(floor.metric.kind, floor.bound)
        return bound if floor.is_met(finding.metrics) else f"{bound}{_NOT_MET}"

    rows: list[tuple[str, ...]] = []
    for judged in finding.judged:
        if judged.change.of_class is None or judged.verdict == Verdict.REGRESSION:
            rows.append((*_cells(judged), of_floor(judged.change.metric), judged.verdict))
    fate = finding.fate or ""
    for one in finding.recorded if finding.fate else ():
        numbers = _numbers(one.kind, one.base, one.here)
        rows.append((one.metric, *numbers, "", "", of_floor(one.metric), fate))
    for metric, floor in list(left.items()):
        here = finding.metrics.get(metric)
        shown = "" if here is None else _number(floor.metric.kind, here)
        rows.append((metric, "", shown, "", "", "", of_floor(metric), fate))
    name = finding.experiment
    for row in rows or [("",) * 7 + (fate,)]:
        yield (name, *row)
        name = ""


def _cells(judged: Judged) -> tuple[str, ...]:
    change = judged.change
    name = f"recall of {change.of_class}" if change.of_class is not None else change.metric
    p_value = f"{judged.p_value:.4f}" if judged.p_value >= 0.0001 else "< 0.0001"
    numbers = _numbers(change.kind, change.base, change.here)
    if change.kind == "share":
        interval = f"{100 * change.low:+.2f} to {100 * change.high:+.2f}"
    else:
        interval = f"{change.low:+.4f} to {change.high:+.4f}"
    if not change.is_open:  # the predictions are the same
        interval = p_value = ""
    return (name, *numbers, interval, p_value)


def _numbers(kind: Kind, base: float, here: float) -> tuple[str, str, str]:
    """Write both values and the change."""
    change = {
        "share": f"{100 * (here - base):+.2f}",
        "count": f"{here - base:+,.0f}",
        "number": f"{here - base:+.4f}",
    }[kind]
    return _number(kind, base), _number(kind, here), change


def _number(kind: Kind, value: float) -> str:
    if kind == "share":
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if kind == "count" else f"{value:.4f}"


def _notes(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        for note in (*floors.missed(finding.floors, finding.metrics), *finding.notes):
            yield f"{finding.experiment}: {note}"


def _escaped(text: str) -> str:
    """Keep names from being taken for Markdown."""
    return "".join(f"\\{letter}" if letter in r"\|*<>[]~" else letter for letter in text)
