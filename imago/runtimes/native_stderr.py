"""Standard error as C++ writes to it."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def closed() -> Iterator[None]:
    """Send what is written to standard error nowhere while the block runs, in all threads."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
