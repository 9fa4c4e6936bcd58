"""Plans the fewest passes for the proxies asked for and runs them on one network."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch

from harness.core.errors import HarnessError, UndefinedScoreError, first_line
from harness.core.sections import Settings
from harness.core.types import Score, Status
from harness.passes.memory import check_memory
from harness.passes.observation import Observation, Observations, Pass, pass_for
from harness.passes.run import Run
from harness.proxies.contract import Proxy, proxies
from harness.scoring.arithmetic import exact_arithmetic

DEFAULTS = Settings()


@dataclass(frozen=True)
class Outcome:
    """What a pass left behind: observations, or why there are none, and its seconds."""

    seen: Observations
    failed: dict[type[Observation], tuple[Status, str]]
    seconds: float


def plan(wanted: Iterable[Proxy]) -> dict[Pass, frozenset[type[Observation]]]:
    """Returns the passes that these proxies need, each with the observations to report.

    Raises:
        HarnessError: If no pass reports what a proxy needs.
    """
    kinds: dict[Pass, set[type[Observation]]] = defaultdict(set)
    for proxy in wanted:
        for kind in proxy.needs.values():
            kinds[pass_for(kind)].add(kind)
    return {run_pass: frozenset(of_pass) for run_pass, of_pass in kinds.items()}


def score(run: Run, names: Sequence[str], settings: Settings = DEFAULTS) -> dict[str, Score]:
    """Scores one network with several proxies; a failing one never stops the others.

    Args:
        run: Network and batch; the network is left as it was.
        names: Registered proxies.
        settings: What passes and proxies read; defaults for what is not given.

    Returns:
        Proxy name -> score, in the order of ``names``.

    Raises:
        HarnessError: If a proxy is unknown.
    """
    wanted = [proxies.get(name) for name in names]
    possible = [proxy for proxy in wanted if not (proxy.labels and run.batch.labels is None)]
    outcomes: dict[Pass, Outcome] = {}
    # Whatever mode the caller is in: this one switches gradients on, too.
    with exact_arithmetic(), torch.inference_mode(False):
        for run_pass, kinds in plan(possible).items():
            outcomes[run_pass] = _attempt(run_pass, replace(run, wanted=kinds), settings)
        users = {one: sum(one in proxy.passes for proxy in possible) for one in outcomes}
        return {
            proxy.name: _score(proxy, run, settings, outcomes, users)
            if proxy in possible
            else Score(math.nan, "undefined", 0.0, "needs labels, and the batch has none")
            for proxy in wanted
        }


def _attempt(run_pass: Pass, run: Run, settings: Settings) -> Outcome:
    """Runs one pass; if that fails, once for each observation, so that only one may be missing."""
    start = _clock(run)
    found = _observe(run_pass, run, settings)
    if not isinstance(found, dict) and len(run.wanted) > 1:
        alone = {
            kind: _observe(run_pass, replace(run, wanted=frozenset({kind})), settings)
            for kind in sorted(run.wanted, key=lambda kind: kind.__name__)
        }
    else:
        alone = dict.fromkeys(run.wanted, found)
    seen = {kind: one[kind] for kind, one in alone.items() if isinstance(one, dict)}
    failed = {kind: one for kind, one in alone.items() if not isinstance(one, dict)}
    return Outcome(seen, failed, _clock(run) - start)


def _observe(run_pass: Pass, run: Run, settings: Settings) -> Observations | tuple[Status, str]:
    """Runs one pass and turns what goes wrong into a status and a message."""
    try:
        check_memory(run, run_pass.differentiations(run.wanted))
        taken = [settings.of(run_pass.settings)] if run_pass.settings else []
        seen = run_pass.function(run, *taken)
        if missing := run.wanted - seen.keys():
            names = ", ".join(sorted(kind.__name__ for kind in missing))
            raise HarnessError(f"The pass {run_pass.name!r} does not return {names}.")
    except UndefinedScoreError as error:
        return "undefined", str(error)
    except Exception as error:  # whatever a user's network raises becomes a row, not a crash
        return _failure(error)
    return seen


def _score(
    proxy: Proxy,
    run: Run,
    settings: Settings,
    outcomes: dict[Pass, Outcome],
    users: dict[Pass, int],
) -> Score:
    """Evaluates one proxy; its seconds hold its share of every pass that it uses."""
    used = [(outcomes[run_pass], users[run_pass]) for run_pass in proxy.passes]
    shared = sum(outcome.seconds / shares for outcome, shares in used)
    for kind in proxy.needs.values():
        if failure := outcomes[pass_for(kind)].failed.get(kind):
            return Score(math.nan, failure[0], shared, failure[1])
    seen = {kind: found for outcome, _ in used for kind, found in outcome.seen.items()}
    start = _clock(run)
    value, status, message = _evaluate(proxy, settings, seen)
    return Score(value, status, shared + _clock(run) - start, message)


def _evaluate(proxy: Proxy, settings: Settings, seen: Observations) -> tuple[float, Status, str]:
    """Applies the formula; returns value, status and message."""
    try:
        arguments: dict[str, object] = {name: seen[kind] for name, kind in proxy.needs.items()}
        arguments |= {name: settings.of(kind) for name, kind in proxy.settings.items()}
        value = float(proxy.function(**arguments))
    except UndefinedScoreError as error:
        return math.nan, "undefined", str(error)
    except Exception as error:  # a plug-in's mistake is a row as well
        return math.nan, *_failure(error)
    if not math.isfinite(value):
        return math.nan, "undefined", f"the formula gives {value}"
    return value, "ok", ""


def _failure(error: Exception) -> tuple[Status, str]:
    """Returns status and message of an error, of whose text the first line."""
    text = first_line(error)
    memory = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    if memory or "not enough memory" in text or "can't allocate memory" in text:
        return "oom", text
    if isinstance(error, HarnessError):  # says by itself what is wrong
        return "error", text
    return "error", f"{type(error).__name__}: {text}"


def _clock(run: Run) -> float:
    """Reads the time; work that a GPU still has to do is waited for, or it would be free."""
    if run.batch.images.is_cuda:
        with suppress(RuntimeError):  # of a kernel; the next call that wants its result has it too
            torch.cuda.synchronize(run.batch.images.device)
    return time.perf_counter()
