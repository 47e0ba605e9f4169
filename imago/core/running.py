"""A stage's process: it ends with the DVC that began it, and is the only one at its work.

Killed by itself, DVC leaves its stage running, and the next `dvc repro` would begin the same beside
it, with the same unfinished training.
"""

import contextlib
import fcntl
import logging
import os
import re
import signal
import threading
from collections.abc import Iterator
from time import sleep
from typing import IO

from imago.core import paths
from imago.core.errors import BusyError

log = logging.getLogger("imago.stages")

DVC_VARIABLE = "DVC_STAGE"
"""In the environment of what DVC runs: the name of the stage."""
LOOK_EVERY_S = 0.25
PATIENCE_S = 30.0
"""For another process to end, which takes a moment if its DVC was killed."""


def end_with_dvc() -> None:
    """Have this process end when its parent does, if DVC runs it."""
    if DVC_VARIABLE in os.environ:
        threading.Thread(target=_outlive, args=(os.getppid(),), daemon=True).start()


def _outlive(parent: int) -> None:
    while os.getppid() == parent:  # an orphan has another one
        sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)  # the main thread may be in TensorFlow for minutes


@contextlib.contextmanager
def alone(what: str) -> Iterator[None]:
    """Keep other processes from the same work, such as `train mnist_sgd`, in this project.

    Raises:
        BusyError: Another process is at it, and was not done soon.
    """
    path = paths.running(re.sub(r"[^\w.-]", "@", what))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as file:
        _take(file, what)
        file.truncate(0)
        with contextlib.suppress(OSError):  # a full disk: the number is but told to others
            file.write(str(os.getpid()).encode())
        yield


def _take(file: IO[bytes], what: str) -> None:
    """Lock a file, which the system unlocks when this process ends, however it ends."""
    for waited in range(int(PATIENCE_S / LOOK_EVERY_S) + 1):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waited:
                log.info("%s: waits for process %s, which is at the same", what, _owner(file))
            sleep(LOOK_EVERY_S)
        else:
            return
    message = f"process {_owner(file)} is at the same; wait until it has ended, or end it"
    raise BusyError(message)


def _owner(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode() or "?"
