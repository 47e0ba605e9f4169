"""What a metric must reach, as it is said on a command line: accuracy=0.95."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imago.reports import numbers
from imago.scoring import metric
from imago.scoring.metric import Metric


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
        name, bound = self.metric.name, numbers.text(self.bound, self.metric.kind)
        value = metrics.get(name)
        if value is None:
            return f"{name} is none of these photos' metrics, and has a floor, {bound}"
        text = numbers.text(value, self.metric.kind)
        if self.metric.better == "lower":
            return f"{name} {text} is above the most that it may be, {bound}"
        return f"{name} {text} is below its floor, {bound}"


def parse(text: str) -> Floor:
    """Read METRIC=VALUE; for argparse."""
    name, _, value = text.partition("=")
    allowed = {one.name: one for one in metric.known() if one.better is not None}
    if name not in allowed:
        message = f"must be of one of {', '.join(allowed)}, such as accuracy=0.95, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    try:
        bound = float(value)
    except ValueError as error:
        message = f"must be a number, such as {name}=0.95, got {text!r}"
        raise argparse.ArgumentTypeError(message) from error
    if not (0 <= bound <= 1 if allowed[name].kind == "share" else bound >= 0):  # NaN is neither
        rule = "0 to 1" if allowed[name].kind == "share" else "0 or more"
        message = f"{name} must be {rule}, got {value}"
        raise argparse.ArgumentTypeError(message)
    return Floor(allowed[name], bound)


def missed(floors: Sequence[Floor], metrics: Mapping[str, float]) -> list[str]:
    """Say of each floor that is not met what is wrong."""
    return [floor.said(metrics) for floor in floors if not floor.is_met(metrics)]
