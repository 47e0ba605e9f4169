"""How far long work has come: a bar on a terminal, a plain line now and then in a log."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 30.0
_WIDTH_OF_NUMBERS = 60
"""Of a bar, with its count, times and rate."""

T = TypeVar("T")
SizedT = TypeVar("SizedT", bound=Sized)


@contextmanager
def bar(
    label: str, total: int | None = None, unit: str = "it", initial: int = 0
) -> Iterator[Callable[[int], object]]:
    """Show progress on standard error while the block runs; the bar is wiped at its end.

    Args:
        label: What is being done, in a few words.
        total: Units in all, None if unknown.
        unit: What is counted; "B" is shown as kB, MB, GB with the rate.
        initial: Units that were done before.

    Yields:
        A function to call with the number of units done since the last call.
    """
    if not can_show():
        yield _Lines(label, total, unit, initial).advance
        return
    with tqdm(
        desc=label,
        total=total,
        unit=unit if unit == "B" else f" {unit}",
        unit_scale=unit == "B",
        initial=initial,
        leave=False,
        dynamic_ncols=True,
        delay=1e-9,  # so that nothing is drawn before its form is known
    ) as shown:
        if shown.ncols and shown.ncols < len(label) + _WIDTH_OF_NUMBERS:
            shown.bar_format = "{n_fmt} of {total_fmt}{unit}" if total else "{n_fmt}{unit}"
        shown.refresh()
        yield shown.update


def can_show() -> bool:
    """Tell whether standard error is a terminal on which a bar can be drawn, and drawn anew."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def over(items: Iterable[T], label: str, total: int | None = None, unit: str = "it") -> Iterator[T]:
    """Yield the items and count each when the next one is asked for; see `bar`."""
    with bar(label, total, unit) as advance:
        for item in items:
            yield item
            advance(1)


def counted(blocks: Iterable[SizedT], advance: Callable[[int], object]) -> Iterator[SizedT]:
    """Yield blocks and, when the next one is asked for, advance a bar by what each holds."""
    for block in blocks:
        yield block
        advance(len(block))


class _Lines:
    """The log's counterpart of a bar: work that ends soon leaves no line at all."""

    def __init__(self, label: str, total: int | None, unit: str, done: int) -> None:
        self.label, self.total, self.unit, self.done = label, total, unit, done
        self.last_line_s = time.monotonic()

    def advance(self, count: int) -> None:
        self.done += count
        now_s = time.monotonic()
        if now_s - self.last_line_s < SECONDS_BETWEEN_LINES:
            return
        self.last_line_s = now_s
        of_total = "" if self.total is None else f" of {self._shown(self.total)}"
        unit = "" if self.unit == "B" else f" {self.unit}"
        log.info("%s: %s%s%s", self.label, self._shown(self.done), of_total, unit)

    def _shown(self, count: int) -> str:
        return tqdm.format_sizeof(count, "B") if self.unit == "B" else f"{count:,}"
