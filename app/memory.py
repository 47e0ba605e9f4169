"""Memory of a process that decodes large images now and then, and runs for months."""

import ctypes

_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of glibc's malloc.h."""
LARGE_BYTES = 2**20


def give_back_large_blocks() -> None:
    """Have the C library return large blocks to the system as soon as they are freed.

    By itself glibc keeps blocks of up to 32 MiB after it has seen one of that size freed, for each
    thread: a gigabyte after some large images. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
