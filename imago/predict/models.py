"""The exported models that there are, also while one is made anew."""

import sys
import time
from pathlib import Path
from typing import Any

from imago.core import paths, rwlock
from imago.core.errors import DataError
from imago.predict.predictor import Predictor
from imago.runtimes import model_json

PATIENCE_S = 120.0
"""For an export that is made anew: DVC deletes it first, and the stage takes its time."""
PAUSE_S = 0.2
"""In a project, DVC's list of the paths that its processes read and write."""


def load(
    name: str | None, command: str = "imago predict", argument: str = "--model", **options: Any
) -> Predictor:
    """Load the exported model that is meant; one that is made anew is waited for.

    Args:
        name: As of `find`.
        command: That asks; begins what is said meanwhile.
        argument: Of the command, by which the model is named.
        options: Of the Predictor.

    Raises:
        DataError: There is none, or none that can be loaded.
    """
    deadline, is_told = time.monotonic() + PATIENCE_S, False
    while True:
        was_made = _is_made(name)
        try:
            if name is None and was_made:  # which may be one of several in a moment
                message = f"{paths.export('')}: dvc is making a model in it; wait for it"
                raise DataError(message)
            return Predictor(find(name, argument), **options)
        except (DataError, OSError):
            if time.monotonic() > deadline or not (was_made or _is_made(name)):
                raise
        if not is_told:
            line = f"{command}: dvc is making the model; waiting {PATIENCE_S:.0f} s at most"
            print(line, file=sys.stderr, flush=True)
            is_told = True
        time.sleep(PAUSE_S)


def find(name: str | None, argument: str = "--model") -> Path:
    """Find the exported model that is meant.

    Args:
        name: Of an experiment, or a path of an export or of a file in it; None for the only one.
        argument: As of `load`.

    Raises:
        DataError: There is none, or several and no name; the message lists them.
    """
    found = model_json.exported()
    listed = f"{paths.export('')} has {', '.join(found) or 'none'}"
    remedy = (
        "run `dvc repro export@<experiment>` to export one, or `dvc pull export@<experiment>` for "
        "what a colleague has pushed"
    )
    if name is None:
        if len(found) == 1:
            return paths.export(found[0])
        message = f"{argument} must name one of several models; {listed}"
        raise DataError(message if found else f"there is no exported model; {remedy}")
    if name in found:
        return paths.export(name)
    if Path(name).exists():
        return Path(name)
    message = (
        f"{argument} must be an experiment or an exported file, got {name!r}; {listed}; {remedy}"
    )
    raise DataError(message)


def _is_made(name: str | None) -> bool:
    """Tell whether a process of DVC is writing the export that is meant, or for None any."""
    meant = {paths.export(name or "").resolve(), Path(name or paths.export("")).resolve()}
    written = {
        Path(path): by
        for root in {parent for path in meant for parent in path.parents}
        for path, by in rwlock.written(root / paths.RWLOCK).items()
    }
    return any(
        path == other or path in other.parents or other in path.parents
        for path in meant
        for other, by in written.items()
        if rwlock.is_alive(by)
    )
