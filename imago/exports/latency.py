"""How long a format takes for one image: figures that vary from run to run."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.runtimes.inference import Call

THREADS = (1, 2)
WARM_UP_CALLS = 5
CALLS = 100
LONGEST_S = 1.0
"""For all calls together; the figures of a slow model are those of fewer."""


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


def table(formats: dict[str, dict[str, Any]], latencies: dict[str, dict[str, Any]]) -> str:
    """Show the formats of a model, with their median latency, as lines of text.

    Args:
        formats: By name, what model.json says of each.
        latencies: By name and number of threads, what `measure` found.
    """
    of_threads = [f"ms, {n} thread{'s' * (n > 1)}" for n in THREADS]
    heads = ["format", "MB", "accuracy", "same class", "difference", *of_threads]
    rows = [
        [
            name,
            f"{said['bytes'] / 1e6:.2f}",
            f"{said['accuracy']:.4f}",
            f"{said['same_class_as_keras']:.4f}",
            f"{said['greatest_difference']:.1e}",
            *(f"{latencies[name][str(n)]['median_ms']:.3g}" for n in THREADS),
        ]
        for name, said in formats.items()
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (heads, *rows)
    )
