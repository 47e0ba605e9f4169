"""An experiment that is made twice from nothing, in clean copies of the project, and compared."""

import filecmp
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imago import params
from imago.core import files, paths
from imago.project import dvc, git, lock


@dataclass(frozen=True)
class MadeTwice:
    """What came out.

    Attributes:
        files: How many an experiment consists of, with its data.
        bytes: Of all of them.
        differing: Files of which the two copies hold different ones, or one copy none.
        unlike_lock: Outputs of which this project's dvc.lock records another one.
    """

    files: int
    bytes: int
    differing: Sequence[Path]
    unlike_lock: Sequence[Path]


def make_twice(experiment: str) -> MadeTwice:
    """Run all stages of an experiment in two copies of what git would commit, and compare.

    Neither copy has a dvc.lock, a cache of DVC or an output; downloads are shared, since each use
    compares them with their digests.

    Raises:
        ParamsError: There is no such experiment.
        DvcError: A stage fails.
    """
    params.pick(params.load().experiments, "experiment", experiment)
    copies = (paths.copies() / "first", paths.copies() / "second")
    files.remove(paths.copies())
    names = [name for name in git.files() if name != lock.NAME]
    try:
        for copy in copies:
            _copy_project(names, copy)
            dvc.run("repro", "--no-run-cache", f"report@{experiment}", root=copy)
        return _compared(*copies)
    finally:
        files.remove(paths.copies())


def _copy_project(names: Sequence[str], copy: Path) -> None:
    for name in names:
        if os.path.lexists(name):  # git still lists what was deleted
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, copy / name, follow_symlinks=False)
    git.begin(copy)  # else DVC would find the repository around the copy
    (copy / ".dvc/config.local").write_text(f"[cache]\n    dir = {copy.resolve()}/.dvc/cache\n")
    paths.downloads().mkdir(parents=True, exist_ok=True)
    (copy / paths.WORK).mkdir(exist_ok=True)
    (copy / paths.downloads()).symlink_to(paths.downloads().resolve())


def _compared(first: Path, second: Path) -> MadeTwice:
    made = lock.digests(lock.read(first))
    recorded = lock.digests(lock.read())
    outs = sorted(made.keys() | lock.digests(lock.read(second)).keys())
    found = sorted({path for copy in (first, second) for path in _files(copy, outs)})
    _, differing, missing = filecmp.cmpfiles(first, second, map(str, found), shallow=False)
    return MadeTwice(
        files=len(found),
        bytes=sum((first / path).stat().st_size for path in found if (first / path).is_file()),
        differing=sorted(map(Path, differing + missing)),
        unlike_lock=[Path(out) for out in outs if recorded.get(out) not in (None, made.get(out))],
    )


def _files(copy: Path, outs: Sequence[str]) -> Iterator[Path]:
    """Yield the files that are, or are below, outputs; relative to the copy."""
    for out in outs:
        whole = copy / out
        for path in whole.rglob("*") if whole.is_dir() else [whole]:
            if not path.is_dir():
                yield path.relative_to(copy)
