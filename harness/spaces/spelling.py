"""How keys are spelt: in a form of their space, or as Python prints numbers and names."""

from __future__ import annotations

import ast
import re

from harness.core.errors import HarnessError, shown

# What such a key consists of; a genotype has 700 characters. Text of any other kind or length is
# refused before Python's parser sees it.
PLAIN = re.compile(r"""[\w\s()\[\],='"-]{1,4000}""", re.ASCII)


def formed(form: re.Pattern[str], key: str, kind: str, expected: str) -> re.Match[str]:
    """Returns how a key matches the form of its space; spaces around it do not matter.

    Args:
        form: What a key looks like.
        key: What the user gave.
        kind: What a key names, ``a PiT architecture``.
        expected: The form in words, with an example.

    Raises:
        HarnessError: If the key has another form.
    """
    text = str(key).strip()
    found = form.fullmatch(text)
    if found is None:
        raise HarnessError(f"{shown(text)} is not {kind}; expected the form {expected}")
    return found


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
