"""Keys as Python prints them: tuples and lists of whole numbers and names."""

from __future__ import annotations

import ast
import re

# What such a key consists of; a genotype has 700 characters. Text of any other kind or length is
# refused before Python's parser sees it.
PLAIN = re.compile(r"""[\w\s()\[\],='"-]{1,4000}""", re.ASCII)


def literal(text: str) -> object:
    """Returns the tuple or list that ``text`` prints; None if it is none. Nothing is evaluated."""
    if not PLAIN.fullmatch(text):
        return None
    try:
        value: object = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, (tuple, list)) else None


def integers(value: object) -> tuple[int, ...] | None:
    """Returns the numbers of a tuple or list of whole numbers; None if it is anything else."""
    if not isinstance(value, (tuple, list)) or any(type(number) is not int for number in value):
        return None
    return tuple(value)
