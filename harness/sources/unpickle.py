"""Reads pickles of plain data and refuses everything else.

Some official files are pickles, and a pickle may run any code while it is loaded. Here only
containers, numbers, strings and what the caller allows by name come back, numpy arrays by default;
any other name in the file is an error.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import BinaryIO

import numpy as np
from numpy._core.multiarray import _reconstruct

from harness.core.errors import DataError

Allowed = Mapping[tuple[str, str], Callable[..., object]]
"""(module, name) in a pickle -> what it stands for."""


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """Stands in for ``_codecs.encode``, with which protocol 2 writes byte strings."""
    if encoding != "latin1":
        raise DataError(f"it encodes text as {encoding!r}, which no data file needs.")
    return text.encode(encoding)


ARRAYS: Allowed = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
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
        return _PlainUnpickler(stream, allowed, content).load()
    except DataError as error:
        raise DataError(f"{name} was refused: {error}") from None
    except Exception as error:  # a broken pickle raises nearly anything
        raise DataError(f"{name} is not a readable pickle ({error}); fetch it again.") from error


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
