"""The exported models that there are."""

from pathlib import Path

from imago.core import paths
from imago.core.errors import DataError
from imago.runtimes import model_json


def find(name: str | None) -> Path:
    """Find the exported model that is meant.

    Args:
        name: Of an experiment, or a path of an export or of a file in it; None for the only one.

    Raises:
        DataError: There is none, or several and no name; the message lists them.
    """
    found = model_json.exported()
    listed = f"{paths.export('')} has {', '.join(found) or 'none'}"
    remedy = "run `dvc repro export@<experiment>` to export one"
    if name is None:
        if len(found) == 1:
            return paths.export(found[0])
        message = f"--model must name one of several models; {listed}"
        raise DataError(message if found else f"there is no exported model; {remedy}")
    if name in found:
        return paths.export(name)
    if Path(name).exists():
        return Path(name)
    message = f"--model must be an experiment or an exported file, got {name!r}; {listed}; {remedy}"
    raise DataError(message)
