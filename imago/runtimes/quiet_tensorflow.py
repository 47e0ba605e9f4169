"""Import TensorFlow without the notes that it prints about its own build, and without ballast.

TensorFlow 2.21 prints some of them whatever TF_CPP_MIN_LOG_LEVEL says (its issue 100442), so native
standard error is closed while it is imported. A stage imports this module before any other that
imports TensorFlow. A failure to import is still raised; should the process abort,
`python -c 'import tensorflow'` says why.

Keras imports scikit-learn and matplotlib where they are installed, for wrappers and plots that no
stage uses; without them it starts in two thirds of the time.

In too small an address space it would end the process without a word, so that is looked at first.

TensorFlow is imported with the kernels that are its default here, whatever TF_ENABLE_ONEDNN_OPTS
says: others come to other last digits, and so to other bytes.
"""

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Iterator

from imago.core import resources
from imago.runtimes import native_stderr

BALLAST = ("matplotlib", "sklearn")
LEAST_GB = 3.0
"""Measured on two cores: 1.6 when it is imported, 2.7 when it has trained a small net."""
_KERNELS = "TF_ENABLE_ONEDNN_OPTS"


@contextlib.contextmanager
def without_advice() -> Iterator[None]:
    """Keep TensorFlow's advice on which of its functions to call from the terminal."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextlib.contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Let modules that were not imported yet seem not to be installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None forbids an import
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


resources.demand(LEAST_GB, "TensorFlow")
os.environ.pop(_KERNELS, None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # warnings too; read while it is imported
with native_stderr.closed(), _hidden(*BALLAST):
    importlib.import_module("tensorflow")
