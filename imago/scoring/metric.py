"""What a metric is, and which ones there are: the entries of imago.scoring.metrics.

An entry has METRICS, a tuple of them. A metric that is added there is written, shown, and allowed
as a floor and in the gate as it says of itself; nothing else has to know of it. Entries import what
takes long, such as scikit-learn, where they compute: params.yaml's check needs their names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imago.core import registry
from imago.core.errors import ExtensionError
from imago.scoring import metrics
from imago.scoring.intervals import Interval
from imago.scoring.predictions import Predictions

Kind = Literal["share", "count", "number"]
"""share: 0..1, shown as a percentage; number: anything else that is no count."""
Better = Literal["higher", "lower"]
Counts = NDArray[np.float64]

UNEQUAL = 1.5
"""How many times as many test images the largest class has as the smallest: with more, accuracy
says how good a model is on large classes, and balanced accuracy leads."""


@dataclass(frozen=True)
class Evaluation:
    """What metrics are computed from.

    Attributes:
        predictions: Of the test split.
        parameters: Numbers in the model's weights; None where they are not known.
    """

    predictions: Predictions
    parameters: int | None


@dataclass(frozen=True)
class ByAnswers:
    """Two models are compared by an exact test of their right answers, image by image.

    Attributes:
        of: Gives whether each answer is right, (N,); the metric is the share of those that are.
    """

    of: Callable[[Predictions], NDArray[np.bool_]]


@dataclass(frozen=True)
class ByCounts:
    """Two models are compared by the bootstrap, of a metric that depends on counts alone.

    Attributes:
        of: From (..., K) counts of each class, those that are right, predicted and true, to (...)
            values.
    """

    of: Callable[[Counts, Counts, Counts], Counts]


@dataclass(frozen=True)
class ByValues:
    """Two models are compared by the bootstrap, of a metric that is the mean over the examples.

    Attributes:
        of: Gives the value of each example, (N,).
    """

    of: Callable[[Predictions], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that says how good or how large a model is.

    Attributes:
        name: Its key in metrics/<experiment>.json.
        title: Its name for people.
        explanation: What it says and which way is better, in a sentence.
        has_column: In the table over all experiments; it is among a report's first numbers, too.
        in_short: The explanation at the head of the column, where it is another one.
        kind: How its value is written.
        better: None where neither way is: there can be no floor.
        place: In files and tables the lower one is first; of equal ones that of the module whose
            name is first.
        compute: Gives its value; None where it does not apply, so that it is left out.
        compared: How `imago gate` tests a change; None: it cannot.
        interval: Gives the 95 % interval of its value; None where there is none.
    """

    name: str
    title: str
    explanation: str
    has_column: bool = False
    in_short: str | None = None
    kind: Kind
    better: Better | None
    place: int
    compute: Callable[[Evaluation], float | int | None]
    compared: ByAnswers | ByCounts | ByValues | None = None
    interval: Callable[[Evaluation], Interval | None] = lambda _: None

    @property
    def can_have_floor(self) -> bool:
        """Whether params.yaml may say how low it may be at most."""
        return self.better == "higher"

    @property
    def can_be_gated(self) -> bool:
        """Whether params.yaml may have its changes tested."""
        return self.compared is not None and self.better is not None


def known() -> list[Metric]:
    """Return every metric, in the order of files and tables."""
    found = [
        (name, one)
        for name in registry.names(metrics)
        for one in registry.load(metrics, name, "METRICS").METRICS
    ]
    files: dict[str, str] = {}
    for file, one in found:
        if one.name in files:
            message = (
                f"imago/scoring/metrics/{file}.py: a metric must have a name of its own, got "
                f"{one.name}, which {files[one.name]}.py has; give it another one"
            )
            raise ExtensionError(message)
        files[one.name] = file
    return sorted((one for _, one in found), key=lambda one: one.place)


def named(name: str) -> Metric:
    """Return a metric; one that is not known, as of another version, is called by its name."""
    for metric in known():
        if metric.name == name:
            return metric
    return Metric(
        name=name,
        title=name.replace("_", " ").capitalize(),
        explanation="",
        kind="number",
        better=None,
        place=0,
        compute=lambda _: None,
    )


def are_unequal(labels: NDArray[np.integer]) -> bool:
    """Tell whether classes have so unequal numbers of images that balanced accuracy leads.

    Args:
        labels: (N,) integers in 0..K-1; a class without images does not count.
    """
    counts = np.bincount(labels)
    return bool(counts.max() > UNEQUAL * counts[counts > 0].min())


def leading(values: Mapping[str, float]) -> Metric:
    """Return the metric that says most in one number, of those of metrics/<experiment>.json.

    Balanced accuracy where the classes of the test images are unequal, which alone have its
    interval; else accuracy.
    """
    return _leading("balanced_accuracy_low" in values)


def leading_of(labels: NDArray[np.integer]) -> Metric:
    """Return the same from the classes of the test images, (N,) integers in 0..K-1."""
    return _leading(are_unequal(labels))


def _leading(is_unequal: bool) -> Metric:
    return named("balanced_accuracy" if is_unequal else "accuracy")


def interval(of: Metric, values: Mapping[str, float]) -> Interval:
    """Return the interval of the leading metric, from metrics/<experiment>.json."""
    return values[f"{of.name}_low"], values[f"{of.name}_high"]
