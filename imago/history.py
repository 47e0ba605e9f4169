"""The table of a training's epochs, history.csv."""

from collections.abc import Sequence

import pandas as pd


def table(history: Sequence[dict[str, float]]) -> pd.DataFrame:
    """Return one row for each epoch, counted from 1, from the logs that `training.fit` returns.

    Returns:
        Columns epoch, loss, accuracy, validation_loss, validation_accuracy, learning_rate; loss in
        nats. The validation columns are empty where there was no validation split.
    """
    logs = pd.DataFrame(history)
    logs.insert(0, "epoch", range(1, len(logs) + 1))
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    return logs.reindex(columns=columns).rename(
        columns=lambda name: name.replace("val_", "validation_")
    )
