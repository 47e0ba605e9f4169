"""The address space that a process may have, which a shell may limit: `ulimit -v`.

Libraries that find too little of it end the process by a signal, or say that it was interrupted.
"""

import resource

from imago.core.errors import LimitError

LEAST_GB = 1.0
"""Of every stage and command: measured on two cores, NumPy, OpenCV, pandas and scikit-learn take
0.7 together."""


def demand(least_gb: float, what: str) -> None:
    """Raise LimitError where this process may have less than `what` takes."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and allowed < least_gb * 10**9:
        message = (
            f"{what} need {least_gb:.0f} GB of address space, got {allowed / 10**9:.1f}; "
            "`ulimit -v unlimited` in the shell allows more"
        )
        raise LimitError(message)
