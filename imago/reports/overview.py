"""The page over all experiments."""

from collections.abc import Mapping, Sequence
from typing import Any

from imago.reports import charts, numbers, rendering, results

CHARTS: tuple[tuple[str, str, numbers.Kind], ...] = (
    ("Accuracy", "accuracy", "share"),
    ("Loss", "loss", "number"),
)
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
        columns=results.COLUMNS,
        texts=results.TEXTS,
        datasets={name: _curves(some) for name, some in datasets.items()},
    )


def _curves(cards: Sequence[Card]) -> list[charts.Chart]:
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
