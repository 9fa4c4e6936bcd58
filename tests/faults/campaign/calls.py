"""Calls of the API in which one to three arguments are of the wrong kind."""

import math
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from commands import write_truth
from test_api_calls import CALLS, ODD

from campaign import forked
from campaign.tally import Tally
from harness import api
from harness.core.errors import HarnessError

HANGS_AFTER = 900  # seconds; of a machine that others share


def run(tally: Tally, count: int, draw: random.Random) -> None:
    """Makes so many calls, a few hundred in each fork."""
    while tally.tried < count:
        plan = [_drawn(draw) for _ in range(min(100, count - tally.tried))]
        before = tally.tried
        for ended, found in forked.each(lambda plan=plan: _calls(plan), HANGS_AFTER):
            told = plan[tally.tried - before]
            if ended == forked.DONE:
                tally.add(*found, *([] if len(found) > 1 else [""]))
            else:
                kind = "hangs" if ended == forked.HUNG else "tracebacks"
                tally.add(ended, f"{told}: {found}", kind)


def _drawn(draw: random.Random) -> tuple[str, list[tuple[str, int]]]:
    name = draw.choice(sorted(CALLS))
    usual = CALLS[name][1]
    odd = draw.sample(sorted(usual), min(draw.randint(1, 3), len(usual)))
    return name, [(argument, draw.randrange(len(ODD))) for argument in odd]


def _calls(plan: list[tuple[str, list[tuple[str, int]]]]) -> Iterator[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nothing:
        write_truth(Path(folder), n=4)
        with chdir(folder), redirect_stdout(nothing), redirect_stderr(nothing):
            for name, odd in plan:
                yield _call(name, {argument: ODD[place] for argument, place in odd})


def _call(name: str, odd: dict[str, Any]) -> tuple[str, ...]:
    function, usual = CALLS[name]
    told = f"{name} with {', '.join(f'{key}={value!r:.60}' for key, value in odd.items())}"
    try:
        found = function(**{**usual, **odd})
    except HarnessError as error:
        sentence = str(error).strip()
        fine = sentence[-1:] in (".", "?")
        return ("refused",) if fine else ("refused", f"{told}: {sentence}", "tracebacks")
    except BaseException as error:
        return ("raised", f"{told}: {type(error).__name__}: {error}", "tracebacks")
    scores = found.values() if isinstance(found, dict) else []
    wrong = [s for s in scores if isinstance(s, api.Score) and _is_wrong(s)]
    return ("done", f"{told}: {wrong}", "wrong numbers") if wrong else ("done",)


def _is_wrong(score: api.Score) -> bool:
    return (score.status == "ok") != math.isfinite(score.value)
