"""What a kill in the midst of DVC's own writing leaves, and over which DVC then stops for good.

DVC empties dvc.lock, and its list of the paths in use, before it writes them anew. Every stage
keeps the dvc.lock that it finds; what was recorded after that is in DVC's run cache, and is not run
again.
"""

import json
from pathlib import Path

from imago.core import files, kept_lock, paths
from imago.project import dvc, lock

CONFLICT = b"<<<<<<< "
"""Of git, in a file that it could not merge."""
RWLOCK = Path(".dvc/tmp/rwlock")
"""DVC's list of the paths that its processes read and write."""


def faults(root: Path = Path()) -> list[str]:
    """Name the files that are broken, as if cut off; none if DVC can go on."""
    content = lock.read(root)
    is_whole = content is None or kept_lock.is_sound(content) or CONFLICT in content
    return ([] if is_whole else [lock.NAME]) + ([str(RWLOCK)] if _is_cut_off(root / RWLOCK) else [])


def mend() -> list[str]:
    """Mend what was cut off, and return what was done to each; none if DVC can go on.

    Raises:
        DvcError: A process of DVC is at work, and may be writing.
    """
    if not faults():
        return []
    done = []
    with dvc.project() as repo, dvc.one_line(), repo.lock:  # nobody else writes now
        found = faults()
        if lock.NAME in found:
            done.append(_mend_lock())
        if str(RWLOCK) in found:
            RWLOCK.unlink()
            done.append(f"{RWLOCK}: deleted; no process is at work that it could list")
    return done


def _mend_lock() -> str:
    """Take the lock that the last stage kept; without one, DVC makes one from its run cache."""
    kept = paths.kept_lock()
    if kept.is_file():
        files.write_text(Path(lock.NAME), kept.read_text("utf-8"))
        return f"{lock.NAME}: as the last stage that ran found it"
    Path(lock.NAME).unlink()
    return f"{lock.NAME}: deleted; `dvc repro` takes what has run from DVC's run cache"


def _is_cut_off(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False
