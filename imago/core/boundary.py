"""The outermost place of every entry: all that fails ends there, as one line and an exit code."""

import _thread
import contextlib
import functools
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection
from types import FrameType, TracebackType

from imago.core.errors import ImagoError

TRACEBACK_VARIABLE = "IMAGO_TRACEBACK"
"""In the environment: shows where in the code a failure came from."""
INTERRUPTED, BROKEN_PIPE = 130, 141
"""128 + SIGINT and 128 + SIGPIPE, as shells have them."""

AGAIN_S = 0.01
"""After which an interrupt that was lost comes once more: beyond what lost it, and soon."""

_interrupts: list[int] = []
"""That have come; of a command within another one's work, each knows of them."""

_Handler = signal.Handlers | Callable[[int, FrameType | None], None]


def run(what: str, work: Callable[[], int | None], failure: int = 1) -> int:
    """Do the work of an entry and return its exit code; that of `work` where nothing fails.

    Args:
        what: Is being done; begins the line of a failure.
        work: Returns an exit code, or None for 0.
        failure: The exit code where it fails.
    """
    _settle_streams()
    interrupts_before = len(_interrupts)
    old = _swap_sigint((signal.SIG_DFL, signal.default_int_handler), _note)
    before = sys.unraisablehook
    sys.unraisablehook = functools.partial(_interrupt_again, before)
    try:
        try:
            return work() or 0
        finally:
            sys.stdout.flush()  # what it cannot take is a failure too
    except KeyboardInterrupt as interrupt:
        _say(what, interrupt)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output, such as `head`, has enough of it
        return BROKEN_PIPE
    except Exception as error:  # broad, for here alone nothing lies behind that could do better
        if len(_interrupts) > interrupts_before:  # which a library made another error of
            _say(what, KeyboardInterrupt())
            return INTERRUPTED
        _say(what, error)
        return failure
    finally:
        sys.unraisablehook = before
        _let_go_of_broken_streams()
        if old is not None:
            _swap_sigint((_note,), old)


def guard_imports(what: str) -> None:
    """Have what fails before `run`, while modules are imported, end as one line as well.

    An interrupt ends the process at once, as it ends other programs: what is raised in the midst of
    an import may become an ImportError, or a traceback that nobody can catch.
    """

    def say(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        _say(what, error)

    sys.excepthook = say
    _swap_sigint((signal.default_int_handler,), signal.SIG_DFL)


def _note(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, as Python does, and remember that it came."""
    _interrupts.append(number)
    signal.default_int_handler(number, frame)


def _swap_sigint(known: Collection[_Handler], new: _Handler) -> _Handler | None:
    """Change what SIGINT does, if it does what is known and not, say, nothing; return what it did.

    None: it is not changed.
    """
    is_main = threading.current_thread() is threading.main_thread()  # no other one may
    for handler in known:
        if is_main and signal.getsignal(signal.SIGINT) == handler:
            signal.signal(signal.SIGINT, new)
            return handler
    return None


def _interrupt_again(
    otherwise: Callable[["sys.UnraisableHookArgs"], object], lost: "sys.UnraisableHookArgs"
) -> None:
    """Have an interrupt that came in a finalizer, from which nothing can be raised, come again."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        threading.Timer(AGAIN_S, _thread.interrupt_main).start()
    else:
        otherwise(lost)


def _say(what: str, error: BaseException) -> None:
    with contextlib.suppress(OSError):  # standard error itself may be what is broken
        if os.environ.get(TRACEBACK_VARIABLE):
            import traceback  # here: a command that answers at once need not wait for it

            traceback.print_exception(error)
        print(f"{what}: {_described(error)}", file=sys.stderr, flush=True)


def _described(error: BaseException) -> str:
    """Return what ImagoError and OSError say; of others the kind, the first line and a way out."""
    kind = type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, ImagoError | OSError):
        return str(error) or kind
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    said = f"{kind}: {first}" if first else kind
    return f"{said}; {TRACEBACK_VARIABLE}=1 shows where it comes from"


def _settle_streams() -> None:
    r"""Open to nowhere what was closed before the start, and let any text be written.

    Python has None for a closed stream, whose number would go to the next file that is opened. A
    letter that the encoding of standard output lacks is written as an escape, such as \xe4.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # which has the lowest number that is free
            os.set_inheritable(nowhere, True)
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _let_go_of_broken_streams() -> None:
    """Send what a stream cannot take nowhere, lest Python complain of it when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
