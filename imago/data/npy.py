"""Files of one array, .npy, written in parts and mapped into memory."""

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.core.errors import DataError

ANY = -1
"""In a shape: of any length."""

_NO_NPY = (EOFError, MemoryError, OverflowError, SyntaxError, TypeError, ValueError, TokenError)
"""What NumPy raises for truncated and other files: it reads their header as Python's text."""


def mapped(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """Map a file into memory; a page of it is read when it is first looked at.

    Args:
        path: Of the file.
        shape: That it must have; ANY may be its first length.
        dtype: That it must have.

    Raises:
        DataError: It is missing, or another array.
    """
    remedy = "run the stage that writes it again"
    try:
        array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError as error:
        message = f"{path}: not found; {remedy}"
        raise DataError(message) from error
    except _NO_NPY as error:
        said = " ".join(str(error).split())[:100]
        message = f"{path}: must be a whole .npy file: {said}; {remedy}"
        raise DataError(message) from error
    lengths = shape if shape[0] != ANY else (*array.shape[:1], *shape[1:])
    if (array.dtype, array.shape) != (np.dtype(dtype), lengths):
        message = (
            f"{path}: must be {dtype.__name__} {times(lengths)}, as dataset.json says, "
            f"got {array.dtype} {times(array.shape)}; {remedy}"
        )
        raise DataError(message)
    return array


def write(
    path: Path, shape: tuple[int, ...], dtype: type[np.generic], parts: Iterable[NDArray[Any]]
) -> str:
    """Write a file of `shape` from parts along its first axis, and return its sha256.

    Plain writes and no writable memory map: a full disk is then an OSError, not a killed process.
    """
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    )
    digest, rows = hashlib.sha256(header.getvalue()), 0
    with path.open("wb") as file:
        file.write(header.getvalue())
        for part in parts:
            if (part.dtype, part.shape[1:]) != (np.dtype(dtype), shape[1:]):
                message = (
                    f"{path}: must hold {dtype.__name__} {times(shape)}, "
                    f"got a part of {part.dtype} {times(part.shape)}"
                )
                raise ValueError(message)
            content = np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
            digest.update(content)
            file.write(content)
            rows += len(part)
    if rows != shape[0]:
        message = f"{path}: must hold {shape[0]} rows, got {rows}"
        raise ValueError(message)
    return digest.hexdigest()


def times(shape: tuple[int, ...]) -> str:
    """Return a shape in words, such as 28×28×1."""
    return "×".join(map(str, shape))
