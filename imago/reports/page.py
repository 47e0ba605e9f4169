"""The page of an experiment: all that there is to see, in one file that needs no other."""

from collections.abc import Sequence

from imago.core.errors import DataError
from imago.reports import rendering, snippets
from imago.reports.card import Card
from imago.reports.embedding import Figure
from imago.scoring import metric


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
        "snippets": snippets.of(card),
    }
    filled = [
        rendering.section(name, figures=[f for f in figures if f.section == name], **values)
        for name in names
    ]
    return rendering.page(
        "experiment.html", sections=sorted(filled, key=lambda one: one.place), **values
    )
