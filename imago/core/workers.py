"""Many tasks at once: on all cores of this machine, or on the workers of a Dask cluster.

IMAGO_SCHEDULER in the environment, such as tcp://10.0.0.1:8786, chooses the cluster. params.yaml
has no word of it, since results come in the order of their tasks and are the same wherever they
were made. Workers have this code and see the folder of the project under the same path. One that
dies or leaves is no matter while there are others: what it had begun is begun again.

`distributed` is imported only where a cluster is chosen; it is the extra `cluster`.
"""

import contextlib
import contextvars
import ctypes
import functools
import logging
import math
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import imago
from imago.core.errors import ClusterError

log = logging.getLogger(__name__)

VARIABLE = "IMAGO_SCHEDULER"
AHEAD = 2
"""Tasks begun for each core before the result of the first is taken."""
CONNECT_S = 10
ASK_EVERY_S = 2.0
ATTEMPTS = 10
"""At a task, each of which Dask makes on several workers if they are lost."""
_ADDRESS = re.compile(r"((tcp|tls|ucx|ws|wss)://)?[^/\s]+:\d+")
_COMPUTING = ("ai-edge-litert", "numpy", "opencv-python-headless", "pillow", "simplejpeg")
"""Packages on whose versions the bytes of results depend."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt. Source of these and of the greatest value: glibc, malloc/malloc.h and
malloc/malloc.c, DEFAULT_MMAP_THRESHOLD_MAX."""
_KEPT_BYTES = 32 * 1024**2

Task = TypeVar("Task")
Result = TypeVar("Result")
Loaded = TypeVar("Loaded")
Covariant = TypeVar("Covariant", covariant=True)


def are_elsewhere() -> bool:
    """Tell whether tasks are done on a cluster."""
    return bool(os.environ.get(VARIABLE)) and not _is_one.get()


def pieces() -> int:
    """Return into how many tasks a block is divided: one for each core, or one for a worker."""
    return 1 if are_elsewhere() or _is_one.get() else os.cpu_count() or 1


@contextlib.contextmanager
def as_one() -> Iterator[None]:
    """Do tasks on one core of this machine in the block, which is itself the task of a worker."""
    before = _is_one.set(True)
    try:
        yield
    finally:
        _is_one.reset(before)


_is_one = contextvars.ContextVar("is one", default=False)


def mapped(
    function: Callable[[Task], Result], tasks: Iterable[Task], threads: int | None = None
) -> Iterator[Result]:
    """Yield what a function makes of each task, in their order, a few of them begun ahead.

    Args:
        function: For a cluster it can be pickled, as tasks and results, and has absolute paths.
        tasks: Taken as they are needed.
        threads: On this machine; None for one on each core. A cluster has its own number.

    Raises:
        ClusterError: The cluster cannot be reached, or has other code than this process.
    """
    with _pool(threads) as (submit, width):
        begun: deque[tuple[Task, _Future[Result]]] = deque()
        try:
            for task in tasks:
                begun.append((task, submit(function, task)))
                if len(begun) > AHEAD * width():
                    yield _result(submit, function, *begun.popleft())
            while begun:
                yield _result(submit, function, *begun.popleft())
        finally:  # whoever takes the results may have enough of them
            for _, future in begun:
                future.cancel()


def loaded(load: Callable[[], Loaded], key: str) -> Loaded:
    """Return what `load` gives, kept in this thread until another key comes.

    For what many tasks need, and what takes long to load: a model, an archive's directory.
    """
    if getattr(_kept, "key", None) != key:
        _kept.value, _kept.key = load(), key
    value: Loaded = _kept.value
    return value


_kept = threading.local()


class _Future(Protocol[Covariant]):
    """What concurrent.futures and Dask have in common."""

    def result(self) -> Covariant: ...

    def cancel(self) -> object: ...


_Submit = Callable[..., _Future[Any]]


def _result(
    submit: _Submit, function: Callable[[Task], Result], task: Task, future: _Future[Result]
) -> Result:
    """Wait for a task; one that Dask gave up, since worker after worker was lost, begins anew."""
    for _ in range(ATTEMPTS - 1):
        try:
            return future.result()
        except Exception as error:  # broad, for the kind has no name where there is no Dask
            if type(error).__name__ != "KilledWorker":
                raise
        future = submit(function, task)
    return future.result()


@contextlib.contextmanager
def _pool(threads: int | None) -> Iterator[tuple[_Submit, Callable[[], int]]]:
    """Yield the function that hands a task in, and that which tells how many are done at once."""
    if are_elsewhere():
        with _cluster() as both:
            yield both
    else:
        count = 1 if _is_one.get() else threads or os.cpu_count() or 1
        with ThreadPoolExecutor(count) as pool:
            yield pool.submit, lambda: count


@contextlib.contextmanager
def _cluster() -> Iterator[tuple[_Submit, Callable[[], int]]]:
    with client() as connected:
        if not connected.nthreads():
            log.info("%s has no workers yet; waits for the first", os.environ[VARIABLE])
            connected.wait_for_workers(1)
        submit = functools.partial(connected.submit, _checked, fingerprint(), pure=False)
        yield submit, _Width(connected)


@contextlib.contextmanager
def client() -> Iterator[Any]:
    """Connect to the scheduler of the cluster that is chosen.

    Yields:
        A distributed.Client.

    Raises:
        ClusterError: There is none at the address, or Dask is not installed.
    """
    address = os.environ[VARIABLE]
    try:
        import distributed
    except ImportError as error:
        message = (
            f"{VARIABLE} is set, and for a cluster the package distributed must be installed: "
            '`pip install "imago[cluster]"`; or unset it to use this machine alone'
        )
        raise ClusterError(message) from error
    if not _ADDRESS.fullmatch(address):  # over which a client would wait, and end in a traceback
        message = (
            f"{VARIABLE} must be the address of a Dask scheduler, such as tcp://10.0.0.1:8786, got "
            f"{address!r}; unset it to use this machine alone"
        )
        raise ClusterError(message)
    connect = functools.partial(
        distributed.Client, address, timeout=CONNECT_S, set_as_default=False
    )
    try:
        try:
            connected = connect()
        except AssertionError:  # its own thread has not begun within 10 s: this machine is busy
            connected = connect()
    except (OSError, ValueError, TimeoutError) as error:
        message = (
            f"{VARIABLE} must be the address of a Dask scheduler that runs, such as "
            f"tcp://10.0.0.1:8786, got {address!r}: {str(error).splitlines()[0]}; unset it to use "
            "this machine alone"
        )
        raise ClusterError(message) from error
    with connected:
        yield connected


class _Width:
    """How many tasks a cluster does at once; asked now and then, for an answer takes its time."""

    def __init__(self, connected: Any) -> None:
        self.connected, self.asked_s, self.known = connected, -math.inf, 1

    def __call__(self) -> int:
        if time.monotonic() > self.asked_s + ASK_EVERY_S:
            self.known = max(1, sum(self.connected.nthreads().values()))
            self.asked_s = time.monotonic()
        return self.known


def _checked(expected: str, function: Callable[..., Result], *args: Any) -> Result:
    """Do a task on a worker."""
    if fingerprint() != expected:
        message = (
            f"a worker on {os.uname().nodename} has other code than this process, or other "
            f"versions of {', '.join(_COMPUTING)}, and could make other bytes; start the workers "
            "again, in an environment like this one"
        )
        raise ClusterError(message)
    _keep_freed_memory()
    return function(*args)


@functools.cache
def _keep_freed_memory() -> None:
    """Have this process use the memory of one photo's pixels for the next one's.

    By itself it would, but Dask's workers give each piece of 64 kB back to the system at once, and
    a photo whose memory is new takes a fifth longer.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # glibc's alone
        for parameter in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            mallopt(parameter, _KEPT_BYTES)


@functools.cache
def fingerprint() -> str:
    """Digest the code of imago and the versions of what it computes with."""
    import hashlib
    import importlib.metadata  # here: it takes longer than a prediction

    folder, digest = Path(imago.__file__).parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    for name in _COMPUTING:
        digest.update(importlib.metadata.version(name).encode())
    return digest.hexdigest()
