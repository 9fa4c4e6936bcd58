"""Errors that are written for people: what was wrong, what was expected, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class HarnessError(Exception):
    """A mistake in what the user asked for or in a file that they gave.

    The command line prints its text as one sentence, without a traceback, and exits with its
    status.
    """

    status = 1


class DataError(HarnessError):
    """A data file is missing, truncated, or differs from its recorded checksum."""


class UnavailableError(DataError):
    """A data file is not here and cannot be fetched; nothing is wrong with what is here."""


class NothingScoredError(HarnessError):
    """Every score of a run failed: the run ended, but did not do what it was asked for."""

    status = 3


class NotReproducedError(HarnessError):
    """A result that was made again has other values than the stored one."""

    status = 4


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM."""


class UndefinedScoreError(Exception):
    """Raised by a proxy whose formula has no value for this network; never shown to a user.

    The engine turns it into a score with status ``undefined``.
    """


def first_line(error: Exception) -> str:
    """Returns the first line of an error's text, or its kind if it has none."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


LONGEST_SHOWN = 200  # characters; all but genotypes and tuples of dozens of numbers are shorter


def shown(given: object) -> str:
    """Returns what the user gave as Python prints it, cut off where it is very long."""
    if isinstance(given, str):
        cut = f"… ({len(given):,} characters)" if len(given) > LONGEST_SHOWN else ""
        return f"{given[:LONGEST_SHOWN]!r}{cut}"
    text = repr(given)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def one_line(text: str) -> str:
    """Returns a message as one line: without control characters and endless words.

    What a user or a file gave may stand in it, and could otherwise draw on the terminal.
    """
    line = " ".join(text.splitlines())
    line = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)
    return re.sub(rf"\S{{{2 * LONGEST_SHOWN},}}", _cut, line)


def _cut(word: re.Match[str]) -> str:
    return f"{word[0][:LONGEST_SHOWN]}… ({len(word[0]):,} characters)"


def cut(given: object) -> str:
    """Returns what the user gave as it was written, cut off where it is very long."""
    text = str(given)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def unknown(kind: str, name: object, known: Iterable[str]) -> HarnessError:
    """Returns the error for a name that does not exist, with the nearest one that does.

    Args:
        kind: What the name stands for, in the singular: ``"proxy"``.
        name: What the user wrote.
        known: All the names that exist.
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name)[:LONGEST_SHOWN], names, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listing = f" Known: {', '.join(names)}." if 0 < len(names) <= 40 else ""
    return HarnessError(f"Unknown {kind} {shown(str(name))}.{hint}{listing}")
