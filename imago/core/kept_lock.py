"""A copy of dvc.lock, kept aside by every stage before it runs; `imago mend` brings it back.

DVC empties dvc.lock before it writes it anew, so a kill in between leaves it cut off.
"""

import re
from pathlib import Path

import yaml

from imago.core import files, paths

LOCK = Path("dvc.lock")
_DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?$")


def keep() -> None:
    """Copy dvc.lock if it is sound; while a stage runs, DVC does not write it."""
    content = LOCK.read_bytes() if LOCK.is_file() else b""
    path = paths.kept_lock()
    if not (path.is_file() and path.read_bytes() == content) and is_sound(content):
        with files.replacing(path) as temporary:
            temporary.write_bytes(content)


def is_sound(content: bytes) -> bool:
    """Tell whether a text is a dvc.lock, and not one that was cut off in the midst of a stage."""
    if not content.endswith(b"\n"):
        return False
    try:
        lock = yaml.load(content, yaml.CBaseLoader)  # in C, for it may have thousands of lines
    except yaml.YAMLError:
        return False
    stages = lock.get("stages") if isinstance(lock, dict) else None
    return isinstance(stages, dict) and all(_is_whole(stage) for stage in stages.values())


def _is_whole(stage: object) -> bool:
    if not isinstance(stage, dict) or "cmd" not in stage or "outs" not in stage:
        return False
    artifacts = [one for kind in ("deps", "outs") for one in stage.get(kind, [])]
    return all(isinstance(one, dict) and _DIGEST.match(str(one.get("md5"))) for one in artifacts)
