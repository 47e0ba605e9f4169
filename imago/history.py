"""The epochs of a training: their table, history.csv, and which of them the model is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
"""In Keras' names."""

Epoch = Mapping[str, Any]
"""Name of a metric: its value, as history.csv or as Keras calls it."""


def table(logs: Sequence[Epoch]) -> pd.DataFrame:
    """Return one row for each epoch, counted from 1, from the logs that `loop.fit` returns.

    Returns:
        Columns epoch, loss, accuracy, validation_loss, validation_accuracy, learning_rate; loss in
        nats. The validation columns are empty where there was no validation split.
    """
    import pandas as pd  # here, since whoever asks for an epoch must not wait for it

    rows = pd.DataFrame(logs)
    rows.insert(0, "epoch", range(1, len(rows) + 1))
    return rows.reindex(columns=COLUMNS).rename(
        columns=lambda name: name.replace("val_", "validation_")
    )


def best(epochs: Sequence[Epoch], monitor: str) -> int:
    """Find the first epoch, counted from 0, in which a loss was lowest or an accuracy highest."""
    sign = 1 if monitor.endswith("loss") else -1
    return min(range(len(epochs)), key=lambda epoch: sign * epochs[epoch][monitor])


def is_over(epochs: Sequence[Epoch], monitor: str, patience_epochs: int) -> bool:
    """Tell whether early stopping ends a phase after these epochs: none of the last is its best."""
    return len(epochs) > 0 and len(epochs) - 1 - best(epochs, monitor) >= patience_epochs


def kept(epochs: Sequence[Epoch], train: Mapping[str, Any]) -> int:
    """Find the epoch, counted from 0, whose weights the model has in the end.

    It is the last one; or with early stopping the best one, of the second phase where there are
    two.

    Args:
        epochs: Of both phases, one after the other, as history.csv has them.
        train: The experiment's section of params.yaml, as plain values.
    """
    last = train.get("fine_tune") or train
    stopping = last.get("early_stopping")
    if not stopping:
        return len(epochs) - 1
    start = 0 if last is train else _end_of_phase(epochs, train)
    return start + best(epochs[start:], stopping["monitor"])


def _end_of_phase(epochs: Sequence[Epoch], phase: Mapping[str, Any]) -> int:
    """Count the epochs of the first phase, which may have stopped early."""
    stopping, most = phase.get("early_stopping"), int(phase["epochs"])
    if not stopping:
        return most
    counts = range(1, most)
    return next((n for n in counts if is_over(epochs[:n], **stopping)), most)
