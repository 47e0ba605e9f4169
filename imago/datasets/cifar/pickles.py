"""Pickles of plain containers and arrays of bytes, read without running them."""

import enum
import reprlib
from dataclasses import dataclass
from typing import Any, Literal

from imago.core import pickles
from imago.core.errors import DataError


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


class _Pickle(pickles.Pickle):
    """Knows what arrays of bytes need."""

    def named(self, name: str) -> Any:
        try:
            return _Global(name)
        except ValueError:
            return super().named(name)

    def made(self, function: Any, arguments: Any) -> Any:
        """Return what a call would make; what is to get a state is stood for by its class."""
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

    def built(self, target: Any, state: Any) -> Any:
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
