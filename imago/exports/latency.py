"""How long a format takes for one image, which varies from run to run."""

import io
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from imago.runtimes.calls import Call

THREADS = (1, 2)
WARM_UP_CALLS = 5
CALLS = 100
LONGEST_S = 0.3
"""For all calls together; a slow model is called fewer times."""
WIDTH = 120
"""Of the table, at most, in a log as on a terminal."""


def let_sessions_choose_threads() -> None:
    """Let each session of TensorFlow have threads of its own, so that a SavedModel can be measured.

    To be called before TensorFlow does anything: the first thing that it does settles the number
    for the whole process.
    """
    os.environ["TF_OVERRIDE_GLOBAL_THREADPOOL"] = "1"


def measure(call: Call, image: NDArray[np.uint8]) -> dict[str, float]:
    """Call a loaded format with one image again and again.

    Args:
        call: The format.
        image: (1, H, W, C) uint8.

    Returns:
        median_ms and p95_ms, the 95th percentile.
    """
    for _ in range(WARM_UP_CALLS):
        call(image)
    seconds: list[float] = []
    while len(seconds) < CALLS and sum(seconds) < LONGEST_S:
        start = time.perf_counter()
        call(image)
        seconds.append(time.perf_counter() - start)
    median, p95 = (1000 * np.percentile(seconds, [50, 95])).round(4).tolist()
    return {"median_ms": median, "p95_ms": p95}


def table(
    formats: Mapping[str, Mapping[str, Any]], latencies: Mapping[str, Mapping[str, Any]]
) -> str:
    """Show the formats of a model, with their median latency, as lines of text.

    Args:
        formats: By name, what model.json says of each.
        latencies: By name and number of threads, what `measure` found.
    """
    shown = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    shown.add_column("format")
    of_threads = [f"ms, {n} thread{'s' * (n > 1)}" for n in THREADS]
    for head in ("MB", "accuracy", "same class", "difference", *of_threads):
        shown.add_column(head, justify="right")
    for name, said in formats.items():
        shown.add_row(
            name,
            f"{said['bytes'] / 1e6:.2f}",
            f"{said['accuracy']:.4f}",
            f"{said['same_class_as_keras']:.4f}",
            f"{said['greatest_difference']:.1e}",
            *(f"{latencies[name][str(n)]['median_ms']:.3g}" for n in THREADS),
        )
    console = Console(file=io.StringIO(), width=WIDTH)
    with console.capture() as captured:
        console.print(shown)
    return captured.get().rstrip("\n")
