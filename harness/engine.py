"""Plans the fewest passes for the proxies asked for and runs them on one network."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch

from harness.errors import HarnessError, UndefinedScoreError
from harness.passes import PASSES, Observation, Observations, Pass, Run
from harness.passes.memory import check_memory
from harness.proxies import Proxy, proxies
from harness.types import Score, Status


@dataclass(frozen=True)
class Outcome:
    """What a pass left behind: observations, or why there are none, and its seconds."""

    seen: Observations
    status: Status
    message: str
    seconds: float


def plan(wanted: Iterable[Proxy]) -> dict[Pass, frozenset[type[Observation]]]:
    """Returns the passes that these proxies need, each with the observations to report.

    Raises:
        HarnessError: If no pass reports what a proxy needs.
    """
    kinds: dict[Pass, set[type[Observation]]] = defaultdict(set)
    for proxy in wanted:
        for kind in proxy.needs.values():
            if kind not in PASSES:
                raise HarnessError(
                    f"No pass reports {kind.__name__}, which the proxy {proxy.name!r} needs; "
                    "declare one with harness.passes.observes."
                )
            kinds[PASSES[kind]].add(kind)
    return {run_pass: frozenset(of_pass) for run_pass, of_pass in kinds.items()}


def score(run: Run, names: Sequence[str]) -> dict[str, Score]:
    """Scores one network with several proxies; a failing one never stops the others.

    Args:
        run: Network, batch and settings; the network is left as it was.
        names: Registered proxies.

    Returns:
        Proxy name -> score, in the order of ``names``.

    Raises:
        HarnessError: If a proxy is unknown.
    """
    wanted = [proxies.get(name) for name in names]
    possible = [proxy for proxy in wanted if not (proxy.labels and run.batch.labels is None)]
    outcomes: dict[Pass, Outcome] = {}
    with exact_arithmetic():
        for run_pass, kinds in plan(possible).items():
            outcomes[run_pass] = _attempt(run_pass, replace(run, wanted=kinds))
    users = {p: sum(_uses(proxy, p) for proxy in possible) for p in outcomes}
    return {
        proxy.name: _score(proxy, run, outcomes, users)
        if proxy in possible
        else Score(math.nan, "undefined", 0.0, "needs labels, and the batch has none")
        for proxy in wanted
    }


class exact_arithmetic:  # noqa: N801 - reads as the context it is
    """Switches TF32 off and deterministic kernels on for the duration; CPU is not affected."""

    def __enter__(self) -> None:
        self._before = (
            torch.backends.cuda.matmul.allow_tf32,
            torch.backends.cudnn.allow_tf32,
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.benchmark,
        )
        self._set(False, False, True, False)

    def __exit__(self, *_: object) -> None:
        self._set(*self._before)

    @staticmethod
    def _set(matmul: bool, conv: bool, deterministic: bool, benchmark: bool) -> None:
        torch.backends.cuda.matmul.allow_tf32 = matmul
        torch.backends.cudnn.allow_tf32 = conv
        torch.backends.cudnn.deterministic = deterministic
        torch.backends.cudnn.benchmark = benchmark


def _uses(proxy: Proxy, run_pass: Pass) -> bool:
    return any(PASSES[kind] is run_pass for kind in proxy.needs.values())


def _attempt(run_pass: Pass, run: Run) -> Outcome:
    """Runs one pass and turns what goes wrong into a status."""
    start = _clock(run)
    seen: Observations = {}
    status: Status = "ok"
    message = ""
    try:
        check_memory(run)
        seen = run_pass(run)
    except UndefinedScoreError as error:
        status, message = "undefined", str(error)
    except Exception as error:  # whatever a user's network raises becomes a row, not a crash
        status, message = _failure(error)
    return Outcome(seen, status, message, _clock(run) - start)


def _score(proxy: Proxy, run: Run, outcomes: dict[Pass, Outcome], users: dict[Pass, int]) -> Score:
    used = [run_pass for run_pass in outcomes if _uses(proxy, run_pass)]
    shared = sum(outcomes[run_pass].seconds / users[run_pass] for run_pass in used)
    for run_pass in used:
        if outcomes[run_pass].status != "ok":
            failed = outcomes[run_pass]
            return Score(math.nan, failed.status, shared, failed.message)
    seen = {kind: o for run_pass in used for kind, o in outcomes[run_pass].seen.items()}
    start = _clock(run)
    value, status, message = _evaluate(proxy, run, seen)
    return Score(value, status, shared + _clock(run) - start, message)


def _evaluate(proxy: Proxy, run: Run, seen: Observations) -> tuple[float, Status, str]:
    try:
        arguments: dict[str, object] = {name: seen[kind] for name, kind in proxy.needs.items()}
        if proxy.takes_settings:
            arguments[proxy.takes_settings] = run.settings
        value = float(proxy.function(**arguments))
    except UndefinedScoreError as error:
        return math.nan, "undefined", str(error)
    except Exception as error:  # a plug-in's mistake is a row as well
        return math.nan, *_failure(error)
    if not math.isfinite(value):
        return math.nan, "undefined", f"the formula gives {value}"
    return value, "ok", ""


def _failure(error: Exception) -> tuple[Status, str]:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    memory = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    if memory or "not enough memory" in text or "can't allocate memory" in text:
        return "oom", text
    return "error", f"{type(error).__name__}: {text}"


def _clock(run: Run) -> float:
    """Reads the time; work that a GPU still has to do is waited for, or it would be free."""
    if run.batch.images.is_cuda:
        torch.cuda.synchronize(run.batch.images.device)
    return time.perf_counter()
