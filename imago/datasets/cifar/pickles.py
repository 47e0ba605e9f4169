"""Pickles of plain containers and arrays of bytes, read without running them.

A pickle is a program, and unpickling runs it. Limiting the globals that pickle.Unpickler finds
keeps strange functions out, but a few bytes can still make it take gigabytes, hash for years or
crash. So its opcodes are followed here, and only those that such files need: nothing is imported
or called, and what comes of them is little larger than the file.

Source: the opcodes are described in Python's module pickletools.
"""

import enum
import itertools
import pickletools
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from imago.core.errors import DataError

OPCODES = 2**20
"""A pickle has at most so many; the greatest of CIFAR's needs about 200,000."""


@dataclass(frozen=True)
class ByteMatrix:
    """A matrix of bytes."""

    shape: tuple[int, int]
    order: Literal["C", "F"]
    text: str
    """The values, in memory's order: each the character with its number."""


class _Global(enum.Enum):
    """The functions and classes that the pickle of an array names."""

    ENCODE = "_codecs encode"
    DTYPE = "numpy dtype"
    NDARRAY = "numpy ndarray"
    RECONSTRUCT = "numpy.core.multiarray _reconstruct"
    RECONSTRUCT_IN_NUMPY_2 = "numpy._core.multiarray _reconstruct"


def _global(name: str) -> _Global:
    try:
        return _Global(name)
    except ValueError as error:
        message = f"it asks for {name.replace(' ', '.', 1)[:80]!r}"
        raise ValueError(message) from error


_PUSHED: dict[str, Callable[[Any], Any]] = {
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "GLOBAL": _global,
    **dict.fromkeys(("BININT", "BININT1", "BININT2"), lambda number: number),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE"), lambda text: text),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), lambda text: text),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES"), lambda content: content.decode("latin-1")),
}
"""For each opcode that only puts a value on the stack: from its argument to that value.

Bytes become text, each the character with its number, as pickletools gives the strings of Python 2;
so the same comes of a pickle whichever version of Python wrote it.
"""
_OPERANDS = {"APPEND": 1, "SETITEM": 2, "STACK_GLOBAL": 2, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
"""How many values these opcodes take; others of their kind take all since the last MARK."""


def read(where: str, content: bytes) -> dict[str, Any]:
    """Return the dict that a pickle holds, of texts, numbers, lists, dicts and ByteMatrix.

    Raises:
        DataError: The pickle holds anything else, or no dict; the message begins with `where`.
    """
    try:
        value = _Pickle().load(content)
    except (IndexError, ValueError) as error:
        message = (
            f"{where}: must be a pickle of texts, numbers, lists, dicts and arrays of bytes alone: "
            f"{error}; it is not the published file"
        )
        raise DataError(message) from error
    if not isinstance(value, dict):
        message = (
            f"{where}: must be a pickle of a dict, got a {type(value).__name__}; "
            "check the names in params.yaml"
        )
        raise DataError(message)
    return value


class _Pickle:
    """Follows the opcodes of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def load(self, content: bytes) -> Any:
        """Return what the pickle holds. Raises IndexError or ValueError where it is not sound."""
        for opcode, argument, _ in itertools.islice(pickletools.genops(content), OPCODES):
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in _PUSHED:
                self.stack.append(_PUSHED[opcode.name](argument))
            else:
                self.step(opcode.name, argument)
        message = f"it has more than {OPCODES} opcodes"
        raise ValueError(message)

    def step(self, opcode: str, argument: Any) -> None:
        """Follow an opcode that works on the stack or the memo."""
        stack, memo = self.stack, self.memo
        match opcode:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                self.marks.append(len(stack))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" if argument in memo:
                stack.append(memo[argument])
            case "TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self.operands(opcode)))
            case "APPEND" | "APPENDS" | "SETITEM" | "SETITEMS":
                items = self.operands(opcode)
                _fill(stack[-1], items)
            case "STACK_GLOBAL" if all(isinstance(name, str) for name in stack[-2:]):
                stack.append(_global(" ".join(self.operands(opcode))))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_made(function, arguments))
            case "BUILD":
                state, target = stack.pop(), stack.pop()
                stack.append(_built(target, state))
            case _:
                shown = "" if argument is None else f" {reprlib.repr(argument)}"
                message = f"it has the opcode {opcode}{shown}"
                raise ValueError(message)

    def operands(self, opcode: str) -> list[Any]:
        """Take the operands of an opcode off the stack."""
        if opcode in _OPERANDS:
            return [self.stack.pop() for _ in range(_OPERANDS[opcode])][::-1]
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items


def _fill(container: Any, items: list[Any]) -> None:
    match container:
        case list():
            container.extend(items)
        case dict() if all(isinstance(key, str) for key in items[::2]):
            container.update(zip(items[::2], items[1::2], strict=True))
        case _:
            message = f"it fills a {type(container).__name__} with a {type(items[0]).__name__}"
            raise ValueError(message)


def _made(function: Any, arguments: Any) -> Any:
    """Return what a call would make; an object that is to get a state is stood for by its class."""
    match function, arguments:
        case _Global.ENCODE, (str() as text, "latin1"):
            return text  # Python 3's way of writing bytes for Python 2
        case _Global.DTYPE, ("u1", *_):
            return _Global.DTYPE
        case _Global.DTYPE, (str() as code, *_):
            message = f"it has an array of type {reprlib.repr(code)}"
        case ((_Global.RECONSTRUCT | _Global.RECONSTRUCT_IN_NUMPY_2), _):
            return _Global.NDARRAY
        case _:
            message = "it makes a call that no array of bytes needs"
    raise ValueError(message)


def _built(target: Any, state: Any) -> Any:
    """Return an object with its state."""
    match target, state:
        case _Global.DTYPE, _:
            return target  # the state is the order of bytes and the like, and uint8 has none
        case (
            _Global.NDARRAY,
            (
                _,
                (int() as rows, int() as columns),
                _Global.DTYPE,
                bool() as columnwise,
                str() as text,
            ),
        ) if min(rows, columns) >= 0 and rows * columns == len(text):
            return ByteMatrix((rows, columns), "F" if columnwise else "C", text)
    message = "it has an array that is no matrix of bytes"
    raise ValueError(message)
