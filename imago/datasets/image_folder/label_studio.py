"""What Label Studio writes into the tables that it exports: CSV, TSV and JSON-MIN.

Source: its documentation, Export annotations and Cloud storage; and of its code, the converter's
CSV and the names of uploads, which Django makes valid.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

from imago.core import photo_names
from imago.core.errors import DataError

_LOCAL_FILE, _UPLOADED, _DIGITS = "?d=", "data/upload/", re.compile(r"^[0-9a-f]{8}-")
"""Before the path of a file on its disk; and of one that was uploaded, its folder, and what is
before its name."""
_INVALID = re.compile(r"[^-\w.]")
"""What is not kept of an uploaded file's name, but for spaces, which become underscores."""


def readings(said: str) -> list[str]:
    """Return the paths that a table may mean: those of Windows, and URLs, too."""
    path = said.partition(_LOCAL_FILE)[2] or said
    if "://" in said or said.startswith("/data/"):
        path = unquote(path.partition("?")[0])
    path = photo_names.normal(path.replace("\\", "/")).removeprefix("./").lstrip("/")
    if not is_uploaded(said):
        return [path]
    name = path.rpartition("/")[2]
    return [name, _DIGITS.sub("", name)]


def is_uploaded(said: str) -> bool:
    """Tell the path of a file that was uploaded to Label Studio."""
    return f"/{_UPLOADED}" in f"/{said}"


def uploaded_name(name: str) -> str:
    """Return what a file's name becomes when it is uploaded."""
    return _INVALID.sub("", name.strip().replace(" ", "_"))


def labels(said: str) -> list[str]:
    """Return the labels that a cell holds: one, or several written as JSON.

    Raises:
        ValueError: It holds something else in JSON, such as boxes.
    """
    if not said.startswith(("[", "{")):
        return [said]
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        return [said]
    is_choice = isinstance(value, dict) and isinstance(value.get("choices"), list)
    several = value["choices"] if is_choice else value
    are_flat = isinstance(several, list) and not any(type(one) in (dict, list) for one in several)
    if value and not are_flat:
        message = "must be the name of a class, got boxes or values of several parts"
        raise ValueError(message)
    if is_choice:
        return [str(one) for one in several if one is not None] or [""]
    are_names = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    return list(value) if are_names else [said]


def table(content: bytes, where: str) -> list[list[str]]:
    """Read JSON-MIN, a list of objects, as a table with its header.

    Raises:
        DataError: It is something else.
    """
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError) as error:
        message = f"{where}: must be JSON in UTF-8: {error}; export it anew, or as CSV"
        raise DataError(message) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = (
            f"{where}: must be a list of objects, one for each photo, as Label Studio's JSON-MIN; "
            "of other tools, export a table as CSV, or folders of classes"
        )
        raise DataError(message)
    if any("annotations" in row and "data" in row for row in rows):
        message = f"{where}: must be Label Studio's JSON-MIN, got its JSON; export JSON-MIN or CSV"
        raise DataError(message)
    header = list(dict.fromkeys(name for row in rows for name in row))
    return [header, *([_cell(row.get(name)) for name in header] for row in rows)]


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
