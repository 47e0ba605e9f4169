"""Memory of decoded pictures, given back to the system after use.

The C library of Linux keeps what was freed, for the next picture; and where a large picture was
freed once, it keeps all up to its size.
"""

import ctypes
import sys

_MMAP_THRESHOLD = -3  # of mallopt(3)
LARGE_BYTES = 2**20
"""What is larger goes back as soon as it is freed."""


def bound() -> None:
    """Have large blocks given back when they are freed; for the whole process, before it works."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Give back what lies free between blocks in use."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
