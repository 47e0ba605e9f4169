"""Import TensorFlow without the notes that it prints about its own build.

TensorFlow 2.21 prints some of them whatever TF_CPP_MIN_LOG_LEVEL says (its issue 100442), so native
standard error is closed while it is imported. A stage imports this module before any other that
imports TensorFlow. A failure to import is still raised; should the process abort,
`python -c 'import tensorflow'` says why.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def _native_stderr_closed() -> Iterator[None]:
    """Send what C++ writes to standard error nowhere."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # warnings too; read while it is imported
with _native_stderr_closed():
    importlib.import_module("tensorflow")
