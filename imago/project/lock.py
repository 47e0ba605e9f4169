"""What dvc.lock records, of any revision and whatever dvc.yaml is there; and changes of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from dvc.utils.serialize import dumps_yaml, loads_yaml

from imago.core import files, paths
from imago.core.errors import LockError

NAME = str(paths.LOCK)
SCHEMA = "2.0"
"""Of DVC's, in which it records a pipeline."""


def stages(content: bytes | None, where: str = NAME) -> dict[str, Mapping[str, Any]]:
    """Return the recorded stages by their names; all values are texts.

    Args:
        content: Of dvc.lock; none where there is no such file, and no stage has run.
        where: Begins an error.

    Raises:
        LockError: It is no lock, as one with marks of a merge conflict in it.
    """
    if content is None:
        return {}
    try:
        lock = yaml.load(content, yaml.CBaseLoader)  # a digest must not be taken for a number
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"{where}: must be YAML, got something else at line {line}; {_remedy()}"
        raise LockError(message) from error
    except yaml.YAMLError as error:
        message = f"{where}: must be YAML: {' '.join(str(error).split())}; {_remedy()}"
        raise LockError(message) from error
    found = lock.get("stages", {}) if isinstance(lock, dict) else None
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        message = f"{where}: must hold a section stages, as DVC writes it; {_remedy()}"
        raise LockError(message)
    return found


def digests(content: bytes | None, where: str = NAME) -> dict[str, str]:
    """Return the md5 of each out by its path. Raises LockError."""
    outs = [out for stage in stages(content, where).values() for out in stage.get("outs", [])]
    try:
        return {out["path"]: out["md5"] for out in outs if "md5" in out}
    except (KeyError, TypeError) as error:
        message = f"{where}: each of outs must have a path; {_remedy()}"
        raise LockError(message) from error


def read(root: Path = Path()) -> bytes | None:
    """Return the content of a project's dvc.lock, or nothing where no stage has run."""
    path = root / NAME
    return path.read_bytes() if path.is_file() else None


def records(content: bytes | None, where: str = NAME) -> dict[str, Any]:
    """Return the recorded stages as DVC reads them, to be written again. Raises LockError."""
    return dict(loads_yaml(content)["stages"]) if stages(content, where) else {}


def write(stages: Mapping[str, Any]) -> None:
    """Write recorded stages as DVC does."""
    files.write_text(Path(NAME), dumps_yaml({"schema": SCHEMA, "stages": dict(stages)}))


def _remedy() -> str:
    return f"take a sound one (git checkout <revision> -- {NAME}), then run `dvc repro`"
