"""The Keras callbacks that a training of the pipeline has."""

import logging
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from imago.core import progress, sections

log = logging.getLogger(__name__)


def build(
    training: sections.Optimization, tensorboard: Path | None
) -> list[keras.callbacks.Callback]:
    """Return the callbacks of a training: progress, TensorBoard.

    Args:
        training: How the weights are fitted.
        tensorboard: Where event files go. None: there are none.
    """
    callbacks: list[keras.callbacks.Callback] = [Progress()]
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(str(tensorboard), write_graph=False))
    return callbacks


def log_name(column: str) -> str:
    """Return Keras' name for a column of history.csv."""
    return column.replace("validation_", "val_")


class Progress(keras.callbacks.Callback):
    """A bar with the metrics of the last epoch on a terminal, a line for each epoch in a log."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Start after the epochs that an earlier run finished."""
        self._finished_epochs = self.params.get("finished_epochs", 0)
        self._bar = tqdm(
            total=self.params["epochs"],
            initial=self._finished_epochs,
            unit="epoch",
            desc="train",
            disable=not progress.can_show(),
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Show the metrics of the epoch, unless an earlier run has shown them."""
        if epoch < self._finished_epochs:
            return
        logs = logs or {}
        shown = {name: f"{logs[log_name(name)]:.4f}" for name in _SHOWN if log_name(name) in logs}
        if self._bar.disable:
            said = ", ".join(f"{name} {value}" for name, value in shown.items())
            log.info("epoch %d/%d: %s", epoch + 1, self.params["epochs"], said)
            return
        self._bar.set_postfix(shown, refresh=False)
        while shown and not self._has_room():  # on a narrow terminal the last ones alone, or none
            del shown[next(iter(shown))]
            self._bar.set_postfix(shown, refresh=False)
        if not self._has_room():
            self._bar.bar_format = "{desc}: {n_fmt}/{total_fmt}"
        self._bar.update()

    def _has_room(self) -> bool:
        whole = self._bar.format_meter(**{**self._bar.format_dict, "ncols": None})
        return not self._bar.ncols or len(whole) <= self._bar.ncols

    def on_train_end(self, logs: Any = None) -> None:
        """Leave the bar as it is."""
        self._bar.close()


_SHOWN = ("loss", "accuracy", "validation_loss", "validation_accuracy")
