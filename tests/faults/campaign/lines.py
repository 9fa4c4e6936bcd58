"""Command lines with mistakes, run to their ends: every key, and several at once."""

import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from commands import ROOT, call, write_truth

from campaign import forked
from campaign.odd import SIMPLE, WORDS, written
from campaign.tally import Tally
from harness.command_line.keys import known_keys
from harness.core import temporary
from harness.jobs.job import jobs

HANGS_AFTER = 900  # seconds; of a machine that others share
MAIN = [
    *("task=digits", "truth=csv", "truth.path=truth.csv", "n=2", "batch_size=8", "seed=0"),
    *("swap.images=8", "ntk.images=8", "executor=local", "proxies=[params,snip]"),
]
SEARCH = [
    *("task=digits", "executor=local", "search.images=4"),
    *("search.population=4", "search.cycles=1", "search.children=1"),
]
QUICK: dict[str, list[str]] = {
    "correlate": MAIN,
    "score": ["task=digits", "architecture=0", "executor=local", "proxies=[snip]", "batch_size=8"],
    "list": [],
    "data": [],
    "collect": [],
    "report": [],
    "analysis": [],
    "paper": [],
    "compare_searches": SEARCH,
    "predictors": [],
    "swap_nas": SEARCH,
    "train_truth": ["task=digits", "n=1", "train_truth.epochs=1", "executor=local"],
}
"""Job -> what makes it small. The others take long, or write into the package."""

ALLOWED = {0, 1, 2, 3}
"""Exit statuses; 2 is Hydra's for flags. 70 is a mistake of ours."""


def run(tally: Tally, count: int, draw: random.Random, processes: int) -> None:
    """Runs so many command lines, a part of them as processes of their own."""
    keys = [(name, key) for name in QUICK for key in known_keys(jobs.get(name))]
    draw.shuffle(keys)
    as_process = set(draw.sample(range(count), min(processes, count)))
    with tempfile.TemporaryDirectory() as made:
        start = Path(made, "start")
        start.mkdir()
        write_truth(start, n=4)
        assert forked.once(lambda: call(start, *MAIN), HANGS_AFTER) == (forked.DONE, 0)
        os.environ["HARNESS_DATA"] = str(Path(made, "data"))
        while tally.tried < count:
            place = tally.tried
            line = _drawn(draw, keys, keys[place % len(keys)])
            folder = Path(made, "run")
            shutil.copytree(start, folder)
            work = _process if place in as_process else _fork
            tally.add(*_judged(work(folder, line), line, folder))
            shutil.rmtree(folder, ignore_errors=True)


def _drawn(draw: random.Random, keys: list[tuple[str, str]], first: tuple[str, str]) -> list[str]:
    job = first[0]
    others = [key for name, key in keys if name == job]
    odd = [first[1], *draw.sample(others, draw.choice([0, 0, 1, 2]))]
    given = [f"{key}={written(_value(draw))}" for key in odd if _may_be_given(key)]
    words = [draw.choice(WORDS)] if draw.random() < 0.1 else []
    return [f"job={job}", *QUICK[job], *given, *words]


def _value(draw: random.Random) -> Any:
    one = draw.choice(SIMPLE)
    while "\0" in str(one):  # of which no command line can hold one
        one = draw.choice(SIMPLE)
    return [one, draw.choice(NUMBERS_AND_X)] if draw.random() < 0.15 else one


NUMBERS_AND_X = [1, -1, 0.5, math.nan, "x"]


def _may_be_given(key: str) -> bool:
    """Leaves out what would write outside the folder or name another job than is known here."""
    return key not in ("job", "results")


def _fork(folder: Path, line: list[str]) -> tuple[str, Any, str]:
    def work() -> tuple[int, str]:
        names = ("out", "err")  # two: what nobody can read is dropped from the first alone
        sys.stdout, sys.stderr = ((folder / name).open("w", encoding="utf-8") for name in names)
        status = call(folder, *line)
        sys.stdout.flush()
        sys.stderr.flush()
        return status, "".join((folder / name).read_text(errors="replace") for name in names)

    ended, found = forked.once(work, HANGS_AFTER)
    return (ended, *found) if ended == forked.DONE else (ended, -1, str(found))


def _process(folder: Path, line: list[str]) -> tuple[str, Any, str]:
    command = [sys.executable, "-m", "harness", *line]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=HANGS_AFTER,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return forked.HUNG, -1, ""
    return forked.DONE, done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def _judged(found: tuple[str, Any, str], line: list[str], folder: Path) -> tuple[str, ...]:
    ended, status, told = found
    what = " ".join(one if len(one) < 100 else f"{one[:40]}…" for one in line)
    if ended == forked.HUNG:
        return ended, what, "hangs"
    if ended != forked.DONE or status not in ALLOWED or "Traceback (most recent" in told:
        return ended, f"{what}: status {status}: {told[-1500:]}", "tracebacks"
    left = [str(path) for path in folder.rglob(".*") if temporary._OWNED.match(path.name)]
    if left:
        return "done", f"{what}: {left}", "left behind"
    if status == 1 and not re.search(r"Error: \S.*[.?]", told):
        return "refused", f"{what}: no sentence: {told[-500:]}", "tracebacks"
    if wrong := _wrong(folder):
        return "done", f"{what}: {wrong}", "wrong numbers"
    return ({0: "done", 3: "done, every score failed"}.get(status, "refused"),)


def _wrong(folder: Path) -> str:
    """Says which result holds a score whose status and value do not go together."""
    for path in folder.rglob("scores.parquet"):
        scores = pd.read_parquet(path)
        fine = scores.value.map(math.isfinite) == (scores.status == "ok")
        if not fine.all():
            return f"{path}: {scores[~fine].head(2).to_dict('records')}"
    return ""
