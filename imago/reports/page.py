"""The page of an experiment: all that there is to see, in one file that needs no other."""

from collections.abc import Sequence

from imago.core.errors import DataError
from imago.reports import rendering, snippets
from imago.reports.card import Card
from imago.reports.embedding import Figure
from imago.scoring import intervals, metric
from imago.scoring.intervals import Interval


def render(card: Card, figures: Sequence[Figure], classification_report: str) -> str:
    """Render the page.

    Args:
        card: The model card.
        figures: In their order.
        classification_report: As scikit-learn writes it.

    Raises:
        DataError: A figure is of a section that the page has not.
    """
    names = rendering.section_names()
    for figure in figures:
        if figure.section not in names:
            message = (
                f"figure {figure.name}: SECTION must be one of {', '.join(names)}, "
                f"got {figure.section!r}"
            )
            raise DataError(message)
    known = [metric.named(name) for name in card["metrics"]]
    leading = metric.leading(card["metrics"])
    counts = [count for row in card["per_class"] if (count := row["support"])]
    values = {
        "card": card,
        "classification_report": classification_report,
        "known": known,
        "leading": leading,
        "interval": metric.interval(leading, card["metrics"]),
        "tiles": [leading, *(one for one in known if one.has_column and one.name != leading.name)],
        "counts": (min(counts), max(counts)),
        "recall_intervals": _of_recalls(card) if leading.name != "accuracy" else {},
        "snippets": snippets.of(card),
    }
    filled = [
        rendering.section(name, figures=[f for f in figures if f.section == name], **values)
        for name in names
    ]
    return rendering.page(
        "experiment.html", sections=sorted(filled, key=lambda one: one.place), **values
    )


def _of_recalls(card: Card) -> dict[str, Interval]:
    """Return the 95 % interval of the recall of each class that has test images."""
    return {
        row["class"]: intervals.wilson(round(row["recall"] * row["support"]), row["support"])
        for row in card["per_class"]
        if row["support"]
    }
