"""What the numbers of a training recipe may be; NaN is none of it."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.core.errors import HarnessError
from harness.core.sections import section_name

Rule = tuple[Callable[[float], bool], str]
"""Tells whether a number is allowed, and in words which are."""

ABOVE_ZERO: Rule = (lambda x: 0 < x < math.inf, "a number above 0")
NOT_NEGATIVE: Rule = (lambda x: 0 <= x < math.inf, "a number of at least 0")
BELOW_ONE: Rule = (lambda x: 0 <= x < 1, "from 0 to below 1")
BETWEEN: Rule = (lambda x: 0 < x < 1, "between 0 and 1")


def at_least(least: int) -> Rule:
    """Allows numbers from ``least`` on."""
    return lambda x: x >= least, f"at least {least}"


def check(recipe: object, **rules: Rule) -> None:
    """Refuses a recipe that breaks a rule.

    Args:
        recipe: A section of settings.
        rules: Field -> what it may be.

    Raises:
        HarnessError: With the key, its value and what is allowed.
    """
    for name, (allowed, words) in rules.items():
        value = getattr(recipe, name)
        if not allowed(value):
            key = f"{section_name(type(recipe))}.{name}"
            raise HarnessError(f"{key}={value} is not possible; it must be {words}.")
