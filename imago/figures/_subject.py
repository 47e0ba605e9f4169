"""What there is to see of an experiment; each part is read when a figure first asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from imago import params
from imago.core import paths
from imago.data import arrays
from imago.scoring import predictions
from imago.scoring.predictions import Predictions

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An experiment that was trained and scored.

    Attributes:
        experiment: Its name.
        settings: Its section of params.yaml.
        seed: Of params.yaml.
    """

    experiment: str
    settings: params.Experiment
    seed: int

    @cached_property
    def data(self) -> arrays.Info:
        """What the variant of its pixels is."""
        return arrays.read_info(paths.data(self.settings.pixels))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of its classes."""
        return self.data.classes

    @cached_property
    def train(self) -> arrays.Split:
        """The training images, each with its augmented copies, if any, after it."""
        return arrays.read_split(paths.data(self.settings.pixels), "train")

    @cached_property
    def test(self) -> arrays.Split:
        """The test images, in the order of `predictions`."""
        return arrays.read_split(paths.data(self.settings.pixels), "test")

    @cached_property
    def predictions(self) -> Predictions:
        """What the model said of each test image."""
        return predictions.read(paths.predictions(self.experiment), self.classes)

    @cached_property
    def history(self) -> pd.DataFrame:
        """A row for each epoch, see `history.table`."""
        return self._table("history")

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Pairs of a true and a predicted class, see `tables.confusion`."""
        texts = {"true": str, "predicted": str}  # a class can be named 7, NA or true
        return self._table("confusion", dtype=texts, keep_default_na=False)

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """A row for each class, see `tables.per_class`."""
        table = self._table("per_class")
        return table.assign(**{"class": self.classes})  # a class can be named 7, NA or true

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """A row for each bin of confidence, see `calibration.reliability`."""
        return self._table("reliability")

    @cached_property
    def model(self) -> keras.Model:
        """The trained model; this alone takes TensorFlow, and its seconds to start."""
        from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports it  # noqa: F401
        from imago.runtimes import determinism, saving

        determinism.enable()
        model, _ = saving.read(paths.model(self.experiment))
        return model

    def _table(self, name: str, **how: Any) -> pd.DataFrame:
        table: pd.DataFrame = pd.read_csv(paths.report(self.experiment) / f"{name}.csv", **how)
        return table
