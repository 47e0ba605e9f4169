"""The changes of an experiment's metrics between two models, each with its p-values."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from imago import params
from imago.gate import bootstrap, significance
from imago.gate.bootstrap import Changes
from imago.scoring import metric
from imago.scoring.metric import Better, ByAnswers, ByCounts, ByValues, Kind, Metric
from imago.scoring.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class Change:
    """How one metric differs between two models on the same images.

    Attributes:
        metric: Its name.
        of_class: The class, for the recall of one.
        kind: How its values are written.
        better: Which way is.
        examples: How many were compared; none where it is not known.
        base: The value of the base.
        here: The value of what is tested.
        low: Of the 95 % confidence interval of `here` less `base`.
        high: The same.
        p_loss: How probable so great a loss, or a greater one, is by chance; one-sided.
        p_gain: The same for a gain.
        share: Of the significance level.
        is_resampled: Whether the p-values are from bootstrap samples, not from an exact test.
        is_open: Whether the two models differ in anything that the metric looks at.
    """

    metric: str
    of_class: str | None = None
    kind: Kind = "share"
    better: Better | None = "higher"
    examples: int | None
    base: float
    here: float
    low: float
    high: float
    p_loss: float
    p_gain: float
    share: float
    is_resampled: bool
    is_open: bool

    @property
    def change(self) -> float:
        """The value here less that of the base."""
        return self.here - self.base

    @property
    def is_worse(self) -> bool:
        """Whether the change is to the worse, be it by chance or not."""
        return self.change > 0 if self.better == "lower" else self.change < 0


def measure(
    base: Predictions, here: Predictions, gate: params.Gate, seed: int, experiment: str
) -> list[Change]:
    """Return the changes of every metric that the gate tests; with class_recall one for each class.

    Args:
        base: In pairs with `here`, see `pairs.pair`.
        here: The same images.
        gate: The metrics, their shares and margins.
        seed: With the experiment's name decides the bootstrap's samples.
        experiment: Its name.
    """
    return [
        change
        for name, how in gate.metrics.items()
        for change in _of_metric(name, how, base, here, gate.bootstrap_samples, seed, experiment)
    ]


def unchanged(metrics: Mapping[str, float], gate: params.Gate) -> list[Change]:
    """Return the same for two models of the same predictions, of which only `metrics` are there."""
    examples = int(metrics["examples"]) if "examples" in metrics else None
    leading = metric.leading(metrics)
    tested = [
        (leading if name == params.LEADING else metric.named(name), how)
        for name, how in gate.metrics.items()
    ]
    return [
        Change(
            metric=one.name,
            kind=one.kind,
            better=one.better,
            examples=examples,
            base=metrics[one.name],
            here=metrics[one.name],
            low=0.0,
            high=0.0,
            p_loss=1.0,
            p_gain=1.0,
            share=how.share,
            is_resampled=False,
            is_open=False,
        )
        for one, how in tested
        if one.name in metrics
    ]


def _of_metric(
    name: str,
    how: params.GateMetric,
    base: Predictions,
    here: Predictions,
    samples: int,
    seed: int,
    experiment: str,
) -> Iterator[Change]:
    if name == params.LEADING:
        name = metric.leading_of(base.labels).name
    # A state for each metric, so that another metric in the list changes no result.
    generator = np.random.default_rng([seed, zlib.crc32(f"{experiment} {name}".encode())])
    is_open = not np.array_equal(base.predicted, here.predicted)
    if name == params.CLASS_RECALL:
        yield from _of_classes(base, here, how, is_open)
        return
    tested = metric.named(name)
    match tested.compared:
        case ByAnswers(of):
            right = of(base), of(here)
            is_open |= not np.array_equal(*right)
            yield _of_answers(name, None, *right, how.margin, how.share, is_open)
        case ByCounts(of):
            answers = base.labels, base.predicted, here.predicted
            found = bootstrap.of_counts(of, *answers, len(base.classes), samples, generator)
            yield _of_samples(tested, found, how, len(base.labels), is_open)
        case ByValues(of):
            found = bootstrap.of_means(of(base), of(here), samples, generator)
            is_open = not np.array_equal(base.probabilities, here.probabilities)
            yield _of_samples(tested, found, how, len(base.labels), is_open)


def _of_classes(
    base: Predictions, here: Predictions, how: params.GateMetric, is_open: bool
) -> Iterator[Change]:
    present = np.unique(base.labels)
    share = how.share / len(present)
    for label in present:
        of_class = base.labels == label
        right = base.right[of_class], here.right[of_class]
        name = base.classes[label]
        yield _of_answers(params.CLASS_RECALL, name, *right, how.margin, share, is_open)


def _of_answers(
    name: str,
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
        metric=name,
        of_class=of_class,
        examples=len(base),
        base=float(base.mean()),
        here=float(here.mean()),
        low=low,
        high=high,
        p_loss=significance.loss(lost, gained, len(base), margin),
        p_gain=significance.mcnemar(gained, lost),
        share=share,
        is_resampled=False,
        is_open=is_open,
    )


def _of_samples(
    tested: Metric, found: Changes, how: params.GateMetric, examples: int, is_open: bool
) -> Change:
    better = found.negative() if tested.better == "lower" else found
    low, high = found.interval()
    return Change(
        metric=tested.name,
        kind=tested.kind,
        better=tested.better,
        examples=examples,
        base=found.first,
        here=found.second,
        low=low,
        high=high,
        p_loss=better.loss(how.margin),
        p_gain=better.gain(),
        share=how.share,
        is_resampled=True,
        is_open=is_open,
    )
