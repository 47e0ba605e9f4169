"""Whether what a stage reads is what the stages before it wrote, as dvc.lock says.

Where the results of a commit have been fetched nowhere and those of another one lie in their place,
`dvc repro --allow-missing` passes over the stage that wrote them and runs those that read them: the
old model would be scored under the new parameters, and dvc.lock say so. What DVC takes from its run
cache runs nothing, and so is not held up.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from imago.core import kept_lock, paths, photo_names
from imago.core.errors import DataError

_LITTER = (photo_names.SYSTEM, photo_names.HIDDEN)
"""What no stage writes, and .dvcignore leaves out."""
GREATEST_READ_BYTES = 2**26
"""Of an artifact that is read to tell; of a larger one its size and the number of its files tell,
for to read all data before each stage would take as long as many stages do."""


def check(stage: str) -> None:
    """Compare what a stage reads, as its last run did, with what dvc.lock says of the writers.

    Args:
        stage: As DVC names it, such as evaluate@mnist_sgd.

    Raises:
        DataError: An artifact is not that of dvc.lock.
    """
    recorded = _stages()
    name = stage.rpartition(":")[2]  # ../dvc.yaml:evaluate@mnist_sgd, run from a folder below
    written: defaultdict[str, list[tuple[str, Mapping[str, str]]]] = defaultdict(list)
    for writer, record in recorded.items():
        for out in record.get("outs", []):
            written[out["path"]].append((writer, out))
    for dep in recorded.get(name, {}).get("deps", []):
        outs = written[dep["path"]]  # several, where a stage that is no more is still recorded
        if outs and all(_is_another(Path(dep["path"]), out) for _, out in outs):
            message = (
                f"{dep['path']}: must be what {outs[-1][0]} wrote, as dvc.lock says, and is of "
                "another commit, or made by hand; `git restore metrics reports` and `dvc checkout "
                "--allow-missing` put what is of this commit there and take others away, then run "
                f"the same again; or keep it with `dvc commit {outs[-1][0]}`"
            )
            raise DataError(message)


def _stages() -> Mapping[str, Any]:
    """Return what dvc.lock records, nothing where it is broken, of which `imago check` tells."""
    content = paths.LOCK.read_bytes() if paths.LOCK.is_file() else b""
    if not kept_lock.is_sound(content):
        return {}
    stages: Mapping[str, Any] = yaml.load(content, yaml.CBaseLoader)["stages"]
    return stages


def _is_another(path: Path, out: Mapping[str, str]) -> bool:
    """Compare an artifact with its record; one that is not there is for DVC to fetch."""
    if not path.exists() or not {"md5", "size"} <= out.keys():
        return False
    files = dict(_files(path))
    size = sum(file.stat().st_size for file in files.values())
    if size != int(out["size"]) or len(files) != int(out.get("nfiles", 1)):
        return True
    return size <= GREATEST_READ_BYTES and _md5(path, files) != out["md5"]


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield "", path
    for file in path.rglob("*") if path.is_dir() else ():
        name = file.relative_to(path).as_posix()
        if file.is_file() and photo_names.reason_against(name) not in _LITTER:
            yield name, file


def _md5(path: Path, files: Mapping[str, Path]) -> str:
    """Compute DVC's digest of a file, or of a folder: that of the list of its files."""
    listed = []
    for name, file in sorted(files.items()):
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "md5").hexdigest()
        listed.append({"md5": digest, "relpath": name})
    if path.is_file():
        return listed[0]["md5"]
    content = json.dumps(listed, sort_keys=True).encode()
    return hashlib.md5(content, usedforsecurity=False).hexdigest() + ".dir"
