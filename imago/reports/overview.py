"""All experiments side by side: a page, and tables for `dvc plots`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from imago.reports import charts, numbers, rendering, results

CHARTS: tuple[tuple[str, str, numbers.Kind], ...] = (
    ("Accuracy", "accuracy", "share"),
    ("Loss", "loss", "number"),
)
ACCURACY = ["accuracy", "accuracy_low", "accuracy_high"]
CURVES = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"]
Card = Mapping[str, Any]


def render(cards: Sequence[Card]) -> str:
    """Render the page from the model cards of all experiments."""
    rows = results.ordered(map(results.of_card, cards))
    by_name = {card["experiment"]: card for card in cards}
    datasets: dict[str, list[Card]] = {}
    for row in rows:
        datasets.setdefault(row.dataset, []).append(by_name[row.experiment])
    return rendering.page(
        "overview.html",
        rows=rows,
        columns=results.columns(rows),
        texts=results.TEXTS,
        datasets={name: _charts(some) for name, some in datasets.items()},
    )


def accuracies(cards: Iterable[Card]) -> pd.DataFrame:
    """Return a row for each model card: dataset, experiment, and the accuracy with its interval."""
    rows = results.ordered(map(results.of_card, cards))
    table = [[row.dataset, row.experiment, *(row.metrics[k] for k in ACCURACY)] for row in rows]
    return pd.DataFrame(table, columns=["dataset", "experiment", *ACCURACY])


def curves(cards: Iterable[Card]) -> pd.DataFrame:
    """Return a row for each epoch of each model card, in the order of `accuracies`.

    Returns:
        Columns dataset, experiment, and of history.csv epoch, loss, accuracy, validation_loss,
        validation_accuracy; the last two are missing where there was no validation split.
    """
    by_name = {card["experiment"]: card for card in cards}
    table = [
        [row.dataset, row.experiment, *(epoch.get(key) for key in CURVES)]
        for row in results.ordered(map(results.of_card, by_name.values()))
        for epoch in by_name[row.experiment]["history"]
    ]
    return pd.DataFrame(table, columns=["dataset", "experiment", *CURVES])


def _charts(cards: Sequence[Card]) -> list[charts.Chart]:
    """Draw the learning curves of experiments, training solid and validation dashed."""
    return [
        charts.draw(
            title,
            kind,
            {
                card["experiment"]: (
                    _points(card["history"], key),
                    _points(card["history"], f"validation_{key}"),
                )
                for card in cards
            },
        )
        for title, key, kind in CHARTS
    ]


def _points(history: Sequence[Mapping[str, float | None]], key: str) -> charts.Points:
    pairs = ((row["epoch"], row.get(key)) for row in history)
    return [(x, y) for x, y in pairs if x is not None and y is not None]
