"""What the system lets a process have, looked at before libraries miss it.

Those that find too little end the process by a signal, or say that it was interrupted.
"""

import os
import resource
import threading

from imago.core.errors import LimitError

LEAST_GB = 1.0
"""Of address space, for every stage and command: measured on two cores, NumPy, OpenCV, pandas and
scikit-learn take 0.7 together."""
THREADS = 16 + 4 * (os.cpu_count() or 1)
"""That TensorFlow, OpenBLAS and stages begin together; on two cores 12 were seen."""
FEW = 4_096
"""Processes and threads of a user, of which it is tried whether there is room for THREADS more."""


def demand(least_gb: float = LEAST_GB, what: str = "it") -> None:
    """Raise LimitError where this process may have less than `what` takes."""
    allowed = _allowed(resource.RLIMIT_AS)
    if allowed < least_gb * 10**9:
        message = (
            f"{what} needs {least_gb:.0f} GB of address space, got {allowed / 10**9:.1f}; "
            "`ulimit -v unlimited` in the shell allows more"
        )
        raise LimitError(message)
    allowed = _allowed(resource.RLIMIT_NPROC)
    if allowed < FEW and (begun := _begin_threads()) < THREADS:
        message = (
            f"{what} needs {THREADS} threads, got {begun}, for this user may have {allowed:.0f}; "
            f"`ulimit -u {FEW}` in the shell allows more"
        )
        raise LimitError(message)


def _allowed(kind: int) -> float:
    allowed, _ = resource.getrlimit(kind)
    return float("inf") if allowed == resource.RLIM_INFINITY else allowed


def _begin_threads() -> int:
    """Begin THREADS for a moment, and return how many could be."""
    done, begun = threading.Event(), 0
    try:
        while begun < THREADS:
            threading.Thread(target=done.wait).start()
            begun += 1
    except RuntimeError:  # which is all that Python says of it
        pass
    finally:
        done.set()
    return begun
