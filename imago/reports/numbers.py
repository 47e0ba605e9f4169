"""How numbers are written for people."""

import math
from typing import Literal

Kind = Literal["share", "count", "bytes", "number"]
"""share: 0..1, written as a percentage; bytes: of a file; number: anything else."""

BYTES_PER_KB, BYTES_PER_MB = 1000, 1_000_000


def text(value: float | None, kind: Kind) -> str:
    """Write a number; a missing one is a dash."""
    if value is None or math.isnan(value):
        return "–"
    return {"share": percent, "count": count, "bytes": file_size, "number": number}[kind](value)


def percent(share: float) -> str:
    """Write a share of 1 as a percentage with two decimals."""
    return f"{100 * share:.2f} %"


def count(value: float) -> str:
    """Write a whole number with commas between thousands."""
    return f"{value:,.0f}"


def number(value: float) -> str:
    """Write five significant digits, but whole numbers in full."""
    return count(value) if float(value).is_integer() else f"{value:.5g}"


def file_size(size: float) -> str:
    """Write a number of bytes in kB or MB, of 1,000 and of a million bytes."""
    if size < BYTES_PER_MB:
        return f"{size / BYTES_PER_KB:,.1f} kB"
    return f"{size / BYTES_PER_MB:,.1f} MB"


def counted(value: float, noun: str) -> str:
    """Write a count and its noun, such as `1 image` and `2,000 images`."""
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"
