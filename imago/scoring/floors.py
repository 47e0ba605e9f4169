"""What metrics must reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imago.scoring import metric
from imago.scoring.metric import Kind, Metric


@dataclass(frozen=True)
class Floor:
    """The least that a metric may be; of one of which less is better, the most."""

    metric: Metric
    bound: float

    def is_met(self, metrics: Mapping[str, float]) -> bool:
        """Tell whether the metric is there and no worse than the bound."""
        value = metrics.get(self.metric.name)
        if value is None:
            return False
        return value <= self.bound if self.metric.better == "lower" else value >= self.bound

    def said(self, metrics: Mapping[str, float]) -> str:
        """Say, of one that is not met, what the metric is and what it may be."""
        name, bound = self.metric.name, _text(self.bound, self.metric.kind)
        value = metrics.get(name)
        if value is None:
            return f"{name} is missing from the metrics, and has a floor, {bound}"
        text = _text(value, self.metric.kind)
        if self.metric.better == "lower":
            return f"{name} {text} is above the most that it may be, {bound}"
        return f"{name} {text} is below its floor, {bound}"


def of(wanted: Mapping[str, float]) -> list[Floor]:
    """Return the floors that params.yaml has, by the names of metrics."""
    return [Floor(metric.named(name), bound) for name, bound in wanted.items()]


def missed(floors: Sequence[Floor], metrics: Mapping[str, float]) -> list[str]:
    """Say of each floor that is not met what is wrong."""
    return [floor.said(metrics) for floor in floors if not floor.is_met(metrics)]


def _text(value: float, kind: Kind) -> str:
    return f"{100 * value:.2f} %" if kind == "share" else f"{value:.5g}"
