"""Reads pickles of plain data and refuses everything else.

The official image batches are pickles, and a pickle may run any code while it is loaded. Here only
containers, numbers, strings and numpy arrays come back; any other name in the file is an error.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
from numpy._core.multiarray import _reconstruct

from harness.errors import DataError


def load_plain(stream: BinaryIO, name: str) -> object:
    """Returns the content of a pickle that holds only containers, numbers, text and arrays.

    Byte strings of Python 2 come back as text (Latin-1), as the official files need.

    Args:
        stream: The pickle.
        name: What to call it in an error message.

    Raises:
        DataError: If the pickle is broken or names anything but numpy's array constructors.
    """
    try:
        return _PlainUnpickler(stream, encoding="latin1").load()
    except DataError as error:
        raise DataError(f"{name} was refused: {error}") from None
    except Exception as error:  # a broken pickle raises nearly anything
        raise DataError(f"{name} is not a readable pickle ({error}); fetch it again.") from error


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """Stands in for ``_codecs.encode``, with which protocol 2 writes byte strings."""
    if encoding != "latin1":
        raise DataError(f"it encodes text as {encoding!r}, which no data file needs.")
    return text.encode(encoding)


_ALLOWED: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): _latin1,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) not in _ALLOWED:
            raise DataError(
                f"it names {module}.{name}, and only plain containers and numpy arrays are read; "
                "the file may be malicious, do not load it elsewhere."
            )
        return _ALLOWED[module, name]
