"""Reads pickles of plain data and refuses everything else.

Some official files are pickles, and a pickle may run any code while it is loaded. Here only
containers, numbers, strings and what the caller allows by name come back, numpy arrays by default;
any other name in the file is an error. No function or class of numpy is handed to the pickle: its
dtypes take whatever a file says and can crash the process. Types of numbers are known by their
plain names, and arrays are put together from checked parts.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import DataError

Allowed = Mapping[tuple[str, str], Callable[..., object]]
"""(module, name) in a pickle -> what it stands for."""

DTYPES = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
"""The types of numbers that data files hold, as numpy abbreviates them."""

SCANNED = 2**26
"""Bytes up to which a pickle is looked through first; a larger one cannot claim much more."""


class PlainDtype:
    """Stands for ``numpy.dtype`` in a pickle: a type of numbers and its order of bytes."""

    def __init__(self, name: object = "", *_: object) -> None:
        if name not in DTYPES:
            raise DataError(f"it holds numbers of the type {str(name)[:50]!r}, which no file needs")
        self.name, self.order = str(name), "|"

    def __setstate__(self, state: object) -> None:
        """Takes the order of bytes; fields, shapes and other parts of a dtype are refused."""
        if not isinstance(state, tuple) or len(state) < 5 or any(state[2:5]):
            raise DataError("it holds numbers that are made of parts")
        if state[1] not in ("<", ">", "=", "|"):
            raise DataError("it holds numbers in no known order of bytes")
        self.order = str(state[1])

    def numbers(self, raw: object) -> NDArray[np.generic]:
        """Returns the numbers that bytes hold, as an array of its own.

        Raises:
            DataError: If they are no whole numbers of bytes.
        """
        content = raw.encode("latin1") if isinstance(raw, str) else raw  # of Python 2
        kind = np.dtype(f"{self.order}{self.name}")
        if not isinstance(content, bytes) or len(content) % kind.itemsize:
            raise DataError("an array or a number has not as many bytes as its type says")
        return np.frombuffer(content, kind).copy()


class _NoArray:
    """Stands for ``numpy.ndarray``, which a pickle names but nobody may call."""

    def __new__(cls, *_: object) -> _NoArray:
        """Refuses to be made."""
        raise DataError("it makes an array in a way that numpy does not")


class PlainArray(np.ndarray[Any, Any]):
    """An array that comes out of a pickle empty and takes its checked content afterwards."""

    def __setstate__(self, state: object) -> None:
        """Takes version, shape, dtype, whether columns come first, and bytes.

        Raises:
            DataError: If these do not make an array of numbers.
        """
        if not isinstance(state, tuple) or len(state) != 5:
            raise DataError("it holds an array that numpy did not write")
        _, shape, dtype, columns_first, raw = state
        sizes = shape if isinstance(shape, tuple) else (-1,)
        if len(sizes) > 8 or not all(type(n) is int and n >= 0 for n in sizes):
            raise DataError("it holds an array of no possible shape")
        if not isinstance(dtype, PlainDtype):
            raise DataError("it holds an array of no type of numbers")
        numbers = dtype.numbers(raw)
        if math.prod(sizes) != len(numbers):
            raise DataError("an array has not as many numbers as its shape says")
        checked = (1, sizes, numbers.dtype, bool(columns_first), numbers.tobytes())
        super().__setstate__(checked)  # type: ignore[arg-type]


def _array(kind: object, *_: object) -> NDArray[np.generic]:
    """Stands for numpy's ``_reconstruct``."""
    if kind is not _NoArray:
        raise DataError("it holds an array of another class than numpy's")
    return PlainArray((0,), np.uint8)


def scalar(dtype: object, raw: object = b"") -> object:
    """Stands for numpy's ``scalar``: returns the one number that bytes hold."""
    if not isinstance(dtype, PlainDtype):
        raise DataError("it holds a number of no type")
    numbers = dtype.numbers(raw)
    if len(numbers) != 1:
        raise DataError("a number has not as many bytes as its type says")
    return numbers[0]


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """Stands in for ``_codecs.encode``, with which protocol 2 writes byte strings."""
    if encoding != "latin1":
        raise DataError(f"it encodes text as {encoding!r}, which no data file needs.")
    return text.encode(encoding)


NUMBERS: Allowed = {
    ("numpy", "dtype"): PlainDtype,
    ("numpy.core.multiarray", "scalar"): scalar,
    ("numpy._core.multiarray", "scalar"): scalar,
    ("_codecs", "encode"): _latin1,
}
ARRAYS: Allowed = {
    ("numpy", "dtype"): PlainDtype,
    ("numpy", "ndarray"): _NoArray,
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("_codecs", "encode"): _latin1,
}


def load_plain(
    stream: BinaryIO,
    name: str,
    allowed: Allowed = ARRAYS,
    content: str = "plain containers and numpy arrays",
) -> object:
    """Returns the content of a pickle of containers, numbers, text and what is allowed.

    Byte strings of Python 2 come back as text (Latin-1), as the official files need.

    Args:
        stream: The pickle.
        name: What to call it in an error message.
        allowed: The only names that it may mention.
        content: What these make of it, for the error message.

    Raises:
        DataError: If the pickle is broken or mentions anything else.
    """
    try:
        start = stream.read(SCANNED + 1)
        if len(start) <= SCANNED:
            _look_through(start)
            stream = io.BytesIO(start)
        else:
            stream.seek(0)
        return _PlainUnpickler(stream, allowed, content).load()
    except DataError as error:
        raise DataError(f"{name} was refused: {str(error).rstrip('.')}.") from None
    except Exception as error:  # a broken pickle raises nearly anything
        raise DataError(f"{name} is not a readable pickle ({error}); fetch it again.") from error


def _look_through(content: bytes) -> None:
    """Refuses a pickle that remembers more things than it has bytes: it would fill the memory."""
    for operation, argument, _ in pickletools.genops(content):
        remembers = operation.name in ("PUT", "BINPUT", "LONG_BINPUT")
        if remembers and int(argument or 0) > len(content):
            raise DataError("it asks for more memory than its content can need")


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, stream: BinaryIO, allowed: Allowed, content: str) -> None:
        super().__init__(stream, encoding="latin1")
        self._allowed, self._content = allowed, content

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) not in self._allowed:
            raise DataError(
                f"it names {module}.{name}, and only {self._content} are read; the file may be "
                "malicious, do not load it elsewhere."
            )
        return self._allowed[module, name]
