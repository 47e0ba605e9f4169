"""Pickles of unknown origin, followed without running them.

A pickle is a program, and unpickling runs it. Limiting the globals that pickle.Unpickler finds
keeps strange functions out, but a few bytes can still make it take gigabytes, hash for years or
crash. So its opcodes are followed here, and only those that plain containers need: nothing is
imported or called, and what comes of them is little larger than the file. What a global, a call or
a state stands for is said by who reads a kind of file, a subclass.

Source: the opcodes are described in Python's module pickletools.
"""

import itertools
import pickletools
import reprlib
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

OPCODES = 2**20
"""A pickle has at most so many; the greatest of CIFAR's needs about 200,000."""

_PUSHED: dict[str, Callable[[Any], Any]] = {
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1"), lambda number: number),
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


class Pickle:
    """Follows the opcodes of one pickle; by itself it knows no global, call, state or reference."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def load(self, content: bytes | BinaryIO) -> Any:
        """Return what a pickle holds; of a file, read no further than it.

        Raises:
            IndexError: It is not sound.
            ValueError: It is not sound, or needs what the reader does not know.
        """
        with warnings.catch_warnings():
            # Of escapes in quoted strings, by the reader of opcodes; these are refused as they are.
            warnings.filterwarnings("ignore", "invalid escape sequence", DeprecationWarning)
            for opcode, argument, _ in itertools.islice(pickletools.genops(content), OPCODES):
                if opcode.name == "STOP":
                    return self.stack.pop()
                if opcode.name in _PUSHED:
                    self.stack.append(_PUSHED[opcode.name](argument))
                else:
                    self.step(opcode.name, argument)
        message = f"it has more than {OPCODES} opcodes"
        raise ValueError(message)

    def named(self, name: str) -> Any:
        """Return what stands for a global, `module name`. Raises ValueError for a strange one."""
        message = f"it asks for {name.replace(' ', '.', 1)[:80]!r}"
        raise ValueError(message)

    def made(self, function: Any, arguments: Any) -> Any:
        """Return what a call would make. Raises ValueError for a strange one."""
        message = f"it calls {function} with {reprlib.repr(arguments)}"
        raise ValueError(message)

    def built(self, target: Any, state: Any) -> Any:
        """Return an object with its state. Raises ValueError for a strange one."""
        message = f"it gives a {type(state).__name__} for a state to {target}"
        raise ValueError(message)

    def referred(self, reference: Any) -> Any:
        """Return what lies outside of the pickle. Raises ValueError for a strange reference."""
        message = f"it refers to {reprlib.repr(reference)}"
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
            case "GLOBAL":
                stack.append(self.named(argument))
            case "STACK_GLOBAL" if all(isinstance(name, str) for name in stack[-2:]):
                stack.append(self.named(" ".join(self.operands(opcode))))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(self.made(function, arguments))
            case "BUILD":
                state, target = stack.pop(), stack.pop()
                stack.append(self.built(target, state))
            case "BINPERSID":
                stack.append(self.referred(stack.pop()))
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
