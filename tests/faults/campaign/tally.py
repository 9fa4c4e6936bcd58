"""What a campaign counted."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("rows lost", "wrong numbers", "tracebacks", "hangs", "left behind")


@dataclass
class Tally:
    """The counts of one part.

    Attributes:
        name: What was tried.
        log: File that every finding is written to at once.
        tried: How often.
        ended: How each ended, in a word: ``done``, ``refused``, ``unchanged``.
        found: Kind of a fault -> how often.
    """

    name: str
    log: Path
    tried: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    def add(self, ended: str, what: str = "", kind: str = "") -> None:
        """Counts one try; a fault has a kind, and ``what`` says what happened."""
        self.tried += 1
        self.ended[ended] += 1
        if self.tried % 20 == 0:  # hours pass
            sys.stderr.write(f"{self.name}: {self.tried:,}, found {dict(self.found)}\n")
        if kind:
            self.fault(kind, what)

    def fault(self, kind: str, what: str) -> None:
        """Counts a fault beside the tries."""
        self.found[kind] += 1
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{self.name}: {kind}: {what}\n")

    def row(self) -> str:
        """Returns a row of the table of all parts."""
        ended = ", ".join(f"{n:,} {word}" for word, n in self.ended.most_common())
        cells = (f"{self.found[kind]}" for kind in KINDS)
        return f"| {self.name} | {self.tried:,} | {ended} | {' | '.join(cells)} |"


def table(tallies: list[Tally]) -> str:
    """Returns the table of all parts, as Markdown has it."""
    head = ["what", "tried", "ended", *KINDS]
    rule = ["---", "---:", "---", *["---:"] * len(KINDS)]
    lines = [f"| {' | '.join(one)} |" for one in (head, rule)]
    return "\n".join([*lines, *(tally.row() for tally in tallies)])
