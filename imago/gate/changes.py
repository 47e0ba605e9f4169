"""The changes of an experiment's metrics between two models, each with its p-values."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from imago.core import sections
from imago.gate import bootstrap, significance
from imago.gate.bootstrap import Changes
from imago.gate.predictions import Predictions

LESS_IS_BETTER = ("brier_score", "loss")
RECALL = "class_recall"
_OF_COUNTS = {
    "balanced_accuracy": bootstrap.balanced_accuracy,
    "macro_f1": bootstrap.macro_f1,
    "weighted_f1": bootstrap.weighted_f1,
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """How one metric differs between two models on the same images.

    Attributes:
        metric: Its name.
        of_class: The class, for the recall of one.
        examples: How many were compared.
        base: The value of the base.
        here: The value of what is tested.
        low: Of the 95 % confidence interval of `here` less `base`.
        high: The same.
        p_loss: How probable so great a loss, or a greater one, is by chance; one-sided.
        p_gain: The same for a gain.
        share: Of the significance level.
        is_open: Whether the two models differ in anything that the metric looks at.
    """

    metric: str
    of_class: str | None = None
    examples: int
    base: float
    here: float
    low: float
    high: float
    p_loss: float
    p_gain: float
    share: float
    is_open: bool

    @property
    def change(self) -> float:
        """The value here less that of the base."""
        return self.here - self.base

    @property
    def is_worse(self) -> bool:
        """Whether the change is to the worse, be it by chance or not."""
        return self.change > 0 if self.metric in LESS_IS_BETTER else self.change < 0


def measure(
    base: Predictions, here: Predictions, gate: sections.Gate, seed: int, experiment: str
) -> list[Change]:
    """Return the changes of every metric that the gate tests; with class_recall one for each class.

    Args:
        base: In pairs with `here`, see `predictions.pair`.
        here: The same images.
        gate: The metrics, their shares and margins.
        seed: With the experiment's name decides the bootstrap's samples.
        experiment: Its name.
    """
    return [
        change
        for metric, how in gate.metrics.items()
        for change in _of_metric(metric, how, base, here, gate.bootstrap_samples, seed, experiment)
    ]


def _of_metric(
    metric: sections.Tested,
    how: sections.GateMetric,
    base: Predictions,
    here: Predictions,
    samples: int,
    seed: int,
    experiment: str,
) -> Iterator[Change]:
    of_probabilities = metric in LESS_IS_BETTER
    is_open = not np.array_equal(
        base.probabilities if of_probabilities else base.predicted,
        here.probabilities if of_probabilities else here.predicted,
    )
    if metric == "accuracy":
        yield _of_answers(metric, None, base.right, here.right, how.margin, how.share, is_open)
    elif metric == RECALL:
        present = np.unique(base.labels)
        for label in present:
            of_class = base.labels == label
            right = base.right[of_class], here.right[of_class]
            name = base.classes[label]
            yield _of_answers(metric, name, *right, how.margin, how.share / len(present), is_open)
    else:
        # A state for each metric, so that another metric in the list changes no result.
        generator = np.random.default_rng([seed, zlib.crc32(f"{experiment} {metric}".encode())])
        found = _resampled(metric, base, here, samples, generator)
        better = found.negative() if of_probabilities else found
        low, high = found.interval()
        yield Change(
            metric=metric,
            examples=len(base.labels),
            base=found.first,
            here=found.second,
            low=low,
            high=high,
            p_loss=better.loss(how.margin),
            p_gain=better.gain(),
            share=how.share,
            is_open=is_open,
        )


def _of_answers(
    metric: str,
    of_class: str | None,
    base: np.ndarray,
    here: np.ndarray,
    margin: float,
    share: float,
    is_open: bool,
) -> Change:
    lost, gained = int((base & ~here).sum()), int((~base & here).sum())
    low, high = significance.interval(lost, gained, len(base)) if is_open else (0.0, 0.0)
    return Change(
        metric=metric,
        of_class=of_class,
        examples=len(base),
        base=float(base.mean()),
        here=float(here.mean()),
        low=low,
        high=high,
        p_loss=significance.loss(lost, gained, len(base), margin),
        p_gain=significance.mcnemar(gained, lost),
        share=share,
        is_open=is_open,
    )


def _resampled(
    metric: str,
    base: Predictions,
    here: Predictions,
    samples: int,
    generator: np.random.Generator,
) -> Changes:
    if metric == "loss":
        return bootstrap.of_means(base.losses, here.losses, samples, generator)
    if metric == "brier_score":
        return bootstrap.of_means(base.brier_scores, here.brier_scores, samples, generator)
    return bootstrap.of_counts(
        _OF_COUNTS[metric],
        base.labels,
        base.predicted,
        here.predicted,
        len(base.classes),
        samples,
        generator,
    )
