"""What a search tries: values of keys of an experiment's section `train`."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imago.core import strict_yaml
from imago.core.errors import SweepError

Trial = dict[str, Any]
"""The value of each key that is searched over."""

_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?"  # of those that params.yaml takes for numbers
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(:log)?")
DIGITS = 3
"""Significant digits of a number that is drawn: more would be no different, and long to read."""


@dataclass(frozen=True)
class Choices:
    """Values that are given one by one."""

    values: Sequence[Any]

    def draw(self, generator: np.random.Generator) -> Any:
        """Choose one, each as likely."""
        return self.values[int(generator.integers(len(self.values)))]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; whole ones if both are.

    Attributes:
        low: The smallest.
        high: The greatest.
        by_ratio: Whether each doubling is as likely as another, and not each difference.
    """

    low: float
    high: float
    by_ratio: bool

    def draw(self, generator: np.random.Generator) -> int | float:
        """Choose a number."""
        if isinstance(self.low, int) and isinstance(self.high, int) and not self.by_ratio:
            return int(generator.integers(self.low, self.high, endpoint=True))
        if self.by_ratio:
            number = math.exp(generator.uniform(math.log(self.low), math.log(self.high)))
        else:
            number = float(generator.uniform(self.low, self.high))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return round(number)
        return float(f"{number:.{DIGITS}g}")


Space = Mapping[str, Choices | Range]


def parse(texts: Sequence[str]) -> Space:
    """Read texts such as batch_size=16,32 or learning_rate=0.0001..0.01:log.

    Raises:
        SweepError: A text is not of this form, or a key stands twice.
    """
    space: dict[str, Choices | Range] = {}
    for text in texts:
        key, equals, values = text.partition("=")
        if not equals or not key or not values:
            message = f"{text}: must be key=value,value,… or key=low..high"
            raise SweepError(message)
        if key in space:
            message = f"{key}: must stand once, got {text!r} as well"
            raise SweepError(message)
        space[key] = _values(key, values)
    return space


def grid(space: Space) -> list[Trial]:
    """Combine every value of each key with every one of the others.

    Raises:
        SweepError: A key has a range.
    """
    for key, values in space.items():
        if isinstance(values, Range):
            message = (
                f"{key}: must be values for a grid, got a range; give them, such as 0.1,0.2: only "
                "`imago sweep --random` draws from a range"
            )
            raise SweepError(message)
    lists = [values.values for values in space.values() if isinstance(values, Choices)]
    return _distinct(dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*lists))


def sample(space: Space, count: int, seed: int) -> list[Trial]:
    """Draw trials at random; a longer search begins with those of a shorter one.

    Returns:
        Up to `count` trials: fewer if some were drawn twice.
    """
    generator = np.random.default_rng(seed)
    return _distinct(
        {key: values.draw(generator) for key, values in space.items()} for _ in range(count)
    )


def _values(key: str, text: str) -> Choices | Range:
    if found := _RANGE.fullmatch(text):
        low, high = (strict_yaml.read(bound) for bound in found.groups()[:2])
        if not low < high or (found[3] and low <= 0):
            rule = "from a number above 0 to a greater one" if found[3] else "from low to high"
            message = f"{key}: must go {rule}, got {text}"
            raise SweepError(message)
        return Range(low, high, bool(found[3]))
    try:
        return Choices(strict_yaml.read(f"[{text}]"))
    except ValueError as error:
        message = f"{key}: must be values as in params.yaml, got {text}: {error}"
        raise SweepError(message) from error


def _distinct(trials: Iterator[Trial]) -> list[Trial]:
    found: list[Trial] = []
    for trial in trials:
        if trial not in found:
            found.append(trial)
    return found
