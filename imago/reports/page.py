"""The page of an experiment: all that there is to see, in one file that needs no other."""

import math
from collections.abc import Mapping
from typing import Any

import yaml

from imago.reports import rendering, snippets
from imago.reports.card import Card
from imago.reports.figures import Figure
from imago.scoring import metric

SEQUENCE = "tag:yaml.org,2002:seq"


def render(card: Card, figures: Mapping[str, Figure], classification_report: str) -> str:
    """Render the page.

    Args:
        card: The model card.
        figures: By their names, in their order.
        classification_report: As scikit-learn writes it.
    """
    return rendering.page(
        "experiment.html",
        card=card,
        figures=figures,
        classification_report=classification_report,
        known=[metric.named(name) for name in card["metrics"]],
        parameters=_yaml(card["parameters"]),
        variant=_yaml(card["data"]["prepare"]),
        features=_yaml(card["data"]["features"]) if "features" in card["data"] else "",
        snippets=snippets.of(card),
    )


class _Dumper(yaml.SafeDumper):
    """Writes lists in one line, as params.yaml does."""


_Dumper.add_representer(
    list, lambda dumper, items: dumper.represent_sequence(SEQUENCE, items, flow_style=True)
)


def _yaml(section: Mapping[str, Any]) -> str:
    return yaml.dump(
        dict(section), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf
    )
