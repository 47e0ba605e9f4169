"""What a kill in the midst of DVC's own writing leaves, and over which DVC then stops for good.

DVC empties dvc.lock, and its list of the paths in use, before it writes them anew, and makes the
folder of a run in its run cache before it has what it puts there. Every stage keeps the dvc.lock
that it finds; what was recorded after that is in DVC's run cache, and is not run again.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from dvc.repo import Repo

from imago.core import files, kept_lock, paths
from imago.project import dvc, git, lock

CONFLICT = b"<<<<<<< "
"""Of git, in a file that it could not merge."""
_RUN = re.compile(r"[0-9a-f]{64}")
"""The name of a run that DVC has finished writing."""


def faults(repo: Repo) -> list[str]:
    """Name the files that are broken, as if cut off; none if DVC can go on."""
    root = Path(repo.root_dir)
    content = lock.read(root)
    is_whole = content is None or kept_lock.is_sound(content) or CONFLICT in content
    found = [] if is_whole else [lock.NAME]
    if _is_cut_off(root / paths.RWLOCK):
        found.append(str(paths.RWLOCK))
    return found + [str(_shown(folder, root)) for folder in _unfinished_runs(repo)]


def mend() -> list[str]:
    """Mend what was cut off, and return what was done to each; none if DVC can go on.

    Raises:
        DvcError: A process of DVC is at work, and may be writing.
    """
    with dvc.project() as repo:
        if not faults(repo):
            return []
        done = []
        with dvc.one_line(), repo.lock:  # nobody else writes now
            found = faults(repo)
            if str(paths.RWLOCK) in found:
                paths.RWLOCK.unlink()
                done.append(f"{paths.RWLOCK}: deleted; no process is at work that it could list")
            for folder in _unfinished_runs(repo):
                files.remove(folder)
                done.append(f"{_shown(folder, Path.cwd())}: deleted; no run is in it")
            if lock.NAME in found:
                done.append(_mend_lock())
    return done


def _mend_lock() -> str:
    """Take the lock that the last stage kept, or the commit's; DVC makes one from its run cache."""
    kept, path = paths.kept_lock(), paths.LOCK
    found = {
        "as the last stage that ran found it": kept.read_bytes() if kept.is_file() else b"",
        "as the commit has it": git.read("HEAD", lock.NAME) or b"",
    }
    sound = {what: content for what, content in found.items() if kept_lock.is_sound(content)}
    if not sound:
        path.unlink()
        return f"{path}: deleted; `dvc repro` takes what has run from DVC's run cache"
    best, *others = sound
    if others:  # what was kept may be of another branch
        before = path.read_bytes()
        try:
            best = min(sound, key=lambda what: _outdated(sound[what]))
        finally:  # the broken one, until the best is known: it says that there is something to mend
            path.write_bytes(before)
    files.write_text(path, sound[best].decode())
    return f"{path}: {best}"


def _outdated(content: bytes) -> int:
    """Count the stages that a dvc.lock, which is left there, knows otherwise than they are now."""
    from imago.project import check  # which needs this module to tell what is broken

    files.write_text(paths.LOCK, content.decode())
    return check.outdated()


def _is_cut_off(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def _unfinished_runs(repo: Repo) -> Iterator[Path]:
    """Yield the folders of the run cache without a run, over which DVC says something of join()."""
    for folder in Path(repo.stage_cache.cache_dir).glob("*/*"):
        if not any(_RUN.fullmatch(entry.name) for entry in folder.iterdir()):
            yield folder


def _shown(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
