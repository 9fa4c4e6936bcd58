"""python -m campaign [kills=200] [lines=1000] [calls=500] [flips=10000] [minutes=0] [seed=0]

Counts are those of tries; with ``minutes`` all of them are repeated, each time with another seed,
until the time is over; Ctrl-C and SIGTERM end it early. ``processes`` says how many of the command
lines are processes of their own, ``executors`` under which the kills are made, ``log`` where
findings are written. The exit status is 1 if anything was found.
"""

import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import torch

from campaign import calls, flips, kills, lines
from campaign.tally import Tally, table
from harness.core.machine import machine

USUAL = {
    "kills": "200", "lines": "1000", "calls": "500", "flips": "10000", "processes": "150",
    "minutes": "0", "seed": "0", "executors": "local,processes,ray,slurm", "log": "campaign.log",
}  # fmt: skip


def main() -> int:
    """Runs the parts and prints their table."""
    words = dict(word.partition("=")[::2] for word in sys.argv[1:])
    if unknown := words.keys() - USUAL.keys():
        sys.exit(f"Unknown: {', '.join(unknown)}.\n\n{__doc__}")
    asked = {**USUAL, **words}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    torch.set_num_threads(1)  # a fork of a process with threads may wait for ever
    tallies = [Tally(name, Path(asked["log"]).absolute()) for name in PARTS]
    with suppress(KeyboardInterrupt):  # what was counted until then
        _repeat(tallies, asked)
    here = machine()
    sys.stdout.write(f"\n{table(tallies)}\n\n{here['cpu']}, {here['cores']} cores, ")
    sys.stdout.write(f"torch {here['torch']}, commit {here['commit']}\n")
    return int(any(tally.found for tally in tallies))


def _repeat(tallies: list[Tally], asked: dict[str, str]) -> None:
    until, seed = time.monotonic() + 60 * float(asked["minutes"]), int(asked["seed"])
    while True:
        for tally in tallies:
            if int(asked[tally.name.rpartition(" ")[2]]):
                PARTS[tally.name](tally, asked, random.Random(f"{seed} {tally.name}"))
        seed += 1
        if time.monotonic() > until:
            return


def _kills(tally: Tally, asked: dict[str, str], draw: random.Random) -> None:
    names = asked["executors"].split(",")
    count = int(asked["kills"])
    counts = {name: count // len(names) + (i < count % len(names)) for i, name in enumerate(names)}
    kills.run(tally, counts, draw)


PARTS = {
    "bit flips": lambda tally, asked, draw: flips.run(
        tally, tally.tried + int(asked["flips"]), draw
    ),
    "API calls": lambda tally, asked, draw: calls.run(
        tally, tally.tried + int(asked["calls"]), draw
    ),
    "command lines": lambda tally, asked, draw: lines.run(
        tally, tally.tried + int(asked["lines"]), draw, int(asked["processes"])
    ),
    "kills": _kills,
}

if __name__ == "__main__":
    sys.exit(main())
