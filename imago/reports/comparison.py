"""Experiments side by side, as tables for `dvc plots`."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from imago.reports import results

Card = Mapping[str, Any]
ACCURACY = ["accuracy", "accuracy_low", "accuracy_high"]
CURVES = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"]


def accuracies(cards: Iterable[Card]) -> pd.DataFrame:
    """Return a row for each model card: dataset, experiment, and the accuracy with its interval."""
    rows = results.ordered(map(results.of_card, cards))
    cells = [[row.dataset, row.experiment, *(row.metrics[k] for k in ACCURACY)] for row in rows]
    return pd.DataFrame(cells, columns=["dataset", "experiment", *ACCURACY])


def curves(cards: Iterable[Card]) -> pd.DataFrame:
    """Return a row for each epoch of each model card, in the order of `accuracies`.

    Returns:
        Columns dataset, experiment, and of history.csv epoch, loss, accuracy, validation_loss,
        validation_accuracy; the last two are missing where there was no validation split.
    """
    by_name = {card["experiment"]: card for card in cards}
    cells = [
        [row.dataset, row.experiment, *(epoch.get(key) for key in CURVES)]
        for row in results.ordered(map(results.of_card, by_name.values()))
        for epoch in by_name[row.experiment]["history"]
    ]
    return pd.DataFrame(cells, columns=["dataset", "experiment", *CURVES])
