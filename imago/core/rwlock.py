"""DVC's list of the paths that its processes read and write."""

import json
import os
from pathlib import Path
from typing import Any


def written(path: Path) -> dict[str, Any]:
    """Return who writes which path; nobody where the list is not there, or just being written."""
    found = _read(path).get("write")
    return found if isinstance(found, dict) else {}


def at_work(path: Path) -> list[int]:
    """Return the processes that read or write anything, and have not ended."""
    listed = _read(path).get("read")
    readers = listed.values() if isinstance(listed, dict) else ()
    every = [*written(path).values(), *(by for some in readers for by in some)]
    return sorted({int(by["pid"]) for by in every if is_alive(by)})


def is_alive(by: Any) -> bool:
    """Tell whether a process of the list has not ended."""
    pid = by.get("pid") if isinstance(by, dict) else None
    if not isinstance(pid, int) or pid < 1:
        return False
    if os.name == "nt":  # where this would end the process
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # such as of another user
        return True
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        listed = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return listed if isinstance(listed, dict) else {}
