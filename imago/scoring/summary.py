"""The flat numbers of metrics/<experiment>.json: one for each metric, in the metrics' order."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imago.core import files
from imago.core.errors import DataError, ExtensionError
from imago.scoring import metric
from imago.scoring.metric import Evaluation

Summary = dict[str, float | int]


def compute(evaluation: Evaluation) -> Summary:
    """Compute every metric that applies.

    Raises:
        ExtensionError: One came to what is no finite number.
    """
    found = {}
    for one in metric.known():
        value = one.compute(evaluation)
        if isinstance(value, np.number):
            value = value.item()
        if value is not None and not _is_number(value):
            message = (
                f"metric {one.name}: must be a finite number, or None where it does not apply, "
                f"got {value!r}; mend its `compute` in imago/scoring/metrics"
            )
            raise ExtensionError(message)
        if value is not None:
            found[one.name] = value
    return found


def write(path: Path, summary: Mapping[str, float | int]) -> None:
    """Write the file."""
    files.write_json(path, summary)


def read(path: Path) -> Summary:
    """Read the file. Raises DataError where it is missing or damaged, in a line."""
    try:
        return parse(path.read_bytes(), str(path))
    except FileNotFoundError as error:
        message = f"{path}: not found; run the stage evaluate"
        raise DataError(message) from error
    except DataError as error:
        message = f"{error}; run the stage evaluate again"
        raise DataError(message) from error


def parse(content: bytes, where: str) -> Summary:
    """Read the bytes of the file.

    Args:
        content: The bytes.
        where: Begins an error.

    Raises:
        DataError: They are no JSON, no object of numbers, or without `accuracy`; the message names
            no remedy.
    """
    try:
        found: Any = json.loads(content)
    except ValueError as error:
        message = f"{where} must be JSON: {error}"
        raise DataError(message) from error
    if not isinstance(found, dict):
        message = f"{where} must be an object of numbers, got {type(found).__name__}"
        raise DataError(message)
    for name, value in found.items():
        if not _is_number(value):
            message = f"{where}: {name} must be a number, got {value!r}"
            raise DataError(message)
    if "accuracy" not in found:
        message = f"{where} has no accuracy"
        raise DataError(message)
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
