"""What the numbers of a settings record may be; NaN is none of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral

from harness.core.errors import HarnessError, shown
from harness.core.typed import full_key

Rule = tuple[Callable[[float], bool], str]
"""Tells whether a number is allowed, and in words which are."""

ABOVE_ZERO: Rule = (lambda x: 0 < x < math.inf, "a number above 0")
NOT_NEGATIVE: Rule = (lambda x: 0 <= x < math.inf, "a number of at least 0")
BELOW_ONE: Rule = (lambda x: 0 <= x < 1, "from 0 to below 1")
BETWEEN: Rule = (lambda x: 0 < x < 1, "between 0 and 1")
SHARE: Rule = (lambda x: 0 <= x <= 1, "from 0 to 1")

MOST_IMAGES = 2**16
"""Of a batch: more than any published proxy looks at, and what memory holds."""


MOST_ARCHITECTURES = 10**6
"""Of a sample: twice the largest benchmark."""


def count(least: int, most: int) -> Rule:
    """Allows counts; what is above ``most`` is a slip of the keyboard, which would hang a run."""
    return lambda x: least <= x <= most, f"at least {least} and at most {most:,}"


def whole(name: str, value: object, least: int, most: int) -> int:
    """Returns a function's argument that must be a count.

    Raises:
        HarnessError: If it is no whole number from ``least`` to ``most``.
    """
    number = int(value) if isinstance(value, Integral) else least - 1
    if isinstance(value, bool) or not least <= number <= most:
        raise HarnessError(
            f"{name}={shown(value)} is not possible; it must be a whole number, at least {least} "
            f"and at most {most:,}."
        )
    return number


def check(record: object, **rules: Rule) -> None:
    """Refuses a record that breaks a rule; None stands for what is resolved later.

    Args:
        record: A section of settings.
        rules: Field -> what it may be.

    Raises:
        HarnessError: With the key, its value and what is allowed.
    """
    for name, (allowed, words) in rules.items():
        value = getattr(record, name)
        if value is not None and not allowed(value):
            raise HarnessError(
                f"{full_key(type(record), name)}={value} is not possible; it must be {words}."
            )
