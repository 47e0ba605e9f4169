"""A copy of dvc.lock, kept aside by every stage before it runs; `imago mend` brings it back.

DVC empties dvc.lock before it writes it anew, so a kill in between leaves it cut off.
"""

import re
from pathlib import Path

import yaml

from imago.core import files, paths

_DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?$")
_ELSEWHERE = {"checksum", "etag"}
_OUTS = {"metrics", "outs", "plots"}
"""Keys of a stage in dvc.yaml, all of which are outs in dvc.lock."""


def keep() -> None:
    """Copy dvc.lock if it is sound; while a stage runs, DVC does not write it."""
    content = paths.LOCK.read_bytes() if paths.LOCK.is_file() else b""
    path = paths.kept_lock()
    if not (path.is_file() and path.read_bytes() == content) and is_sound(content):
        with files.replacing(path) as temporary:
            temporary.write_bytes(content)


def is_sound(content: bytes) -> bool:
    """Tell whether a text is a dvc.lock, and not one that was cut off in the midst of a stage.

    The outs of a stage come last, so the last one was cut off where it has none, but for a
    person's own that writes none.
    """
    if not content.endswith(b"\n"):
        return False
    try:
        lock = yaml.load(content, yaml.CBaseLoader)  # in C, for it may have thousands of lines
    except yaml.YAMLError:
        return False
    stages = lock.get("stages") if isinstance(lock, dict) else None
    if not isinstance(stages, dict) or not all(map(_is_whole, stages.values())):
        return False
    return all(stages[last].get("outs") or _writes_nothing(last) for last in [*stages][-1:])


def _is_whole(stage: object) -> bool:
    if not isinstance(stage, dict) or "cmd" not in stage:
        return False
    artifacts = [stage[kind] for kind in ("deps", "outs") if kind in stage]
    return all(isinstance(some, list) and all(map(_has_digest, some)) for some in artifacts)


def _has_digest(artifact: object) -> bool:
    """Tell whether an artifact has DVC's digest, or one of a server or a bucket elsewhere."""
    if not isinstance(artifact, dict) or "path" not in artifact:
        return False
    md5 = artifact.get("md5")
    return bool(_DIGEST.match(str(md5)) if md5 else artifact.keys() & _ELSEWHERE)


def _writes_nothing(stage: str) -> bool:
    """Tell whether dvc.yaml has a stage without outs, or does not have it any more."""
    try:
        defined = yaml.load(Path("dvc.yaml").read_bytes(), yaml.CBaseLoader)["stages"]
        entry = defined.get(stage.partition("@")[0], {})
        return _OUTS.isdisjoint(entry.get("do", entry))
    except (AttributeError, KeyError, OSError, TypeError, yaml.YAMLError):
        return False  # it is being changed; DVC says what is wrong with it
