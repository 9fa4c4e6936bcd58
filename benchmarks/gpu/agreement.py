"""Every proxy on the CPU against the device, on three architectures of each space.

The architectures, their noise images and the scores of another CPU are those of the golden test;
noise needs no image set. What is reported per proxy is the largest relative difference, beside that
of this CPU from the golden one, which is what other kernels alone make of the same formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.gpu.part import Part, run
from harness.core.sections import Settings
from harness.executors.executor import execute
from harness.executors.processes import ProcessSettings
from harness.inputs.selection import InputSettings
from harness.passes.further_settings import VkdnwSettings
from harness.passes.settings import RegulariserSettings, SwapSettings
from harness.proxies.contract import proxies
from harness.scoring.conditions import Conditions, conditions_at
from harness.scoring.shard import score_architecture

GOLDEN = "tests/golden/scores.parquet"
EACH = 3  # architectures per space, of different tasks where there are several
WORKERS = 14  # of both kinds at once
REGULARISER = RegulariserSettings(40.0, 40.0, 1e6)  # fixed: a space's own may need its table


class Case(NamedTuple):
    """One architecture on one device."""

    space: str
    task: str
    batch: int
    key: str
    where: str
    device: str


def measure(part: Part) -> None:
    """Scores all cases on the device and on the CPU, and compares as they come."""
    golden = pd.read_parquet(GOLDEN)
    cases = chosen(golden)
    part.record(
        planned=f"{len(cases)} architectures of {cases.space.nunique()} spaces, "
        f"{golden.proxy.nunique()} proxies, on {part.device} and on the CPU"
    )
    rows: list[dict[str, Any]] = []
    items = [
        Case(*case, where, device)
        for case in cases.itertuples(index=False)
        for where, device in (("device", part.device), ("cpu", "cpu"))
    ]
    settings = ProcessSettings("processes", workers=WORKERS, gpus=int(part.on_gpu))
    for scored in execute(score_case, items, settings):
        rows += scored
        compare(part, golden, rows)


def chosen(golden: pd.DataFrame) -> pd.DataFrame:
    """Returns three architectures per space, the smallest first, that the CPU is not kept long."""
    sizes = golden[golden.proxy == "flops"].sort_values("value")
    first = sizes.groupby(["space", "task"], sort=False).head(EACH).copy()
    first["turn"] = first.groupby(["space", "task"]).cumcount()
    ordered = first.sort_values("turn", kind="stable").groupby("space").head(EACH)
    return ordered[["space", "task", "batch", "key"]]


def score_case(case: Case) -> list[dict[str, Any]]:
    """Scores one architecture by every proxy, as the golden test does."""
    inputs = InputSettings("gaussian", channels=1 if case.space == "darts_swap_c1" else None)
    used = Settings(SwapSettings(images=16), VkdnwSettings(parameters=16), REGULARISER)
    asked = Conditions(case.space, case.task, inputs, int(case.batch), case.device, True, used)
    names = list(proxies)
    scores = score_architecture(conditions_at(asked, names), case.key, 0, names)
    return [
        {
            **{"space": case.space, "task": case.task, "key": case.key, "proxy": name},
            "where": case.where,
            **{"value": score.value, "status": score.status, "message": score.message},
            "seconds": score.seconds,
        }
        for name, score in scores.items()
    ]


def compare(part: Part, golden: pd.DataFrame, rows: Sequence[dict[str, Any]]) -> None:
    """Records what is known so far: a line per proxy, and every failure."""
    same = ["space", "task", "key", "proxy"]
    found = pd.DataFrame(rows)
    wide = found[found["where"] == "device"].drop(columns="where")
    comparable = golden[golden.proxy != "reg_swap"]  # it was regularised otherwise
    for name, other in (("cpu", found[found["where"] == "cpu"]), ("golden", comparable)):
        columns = other[[*same, "value", "status"]]
        wide = wide.merge(columns, on=same, how="left", suffixes=("", f"_{name}"))
    wide["from_cpu"] = relative(wide.value, wide.value_cpu)
    wide["from_golden"] = relative(wide.value, wide.value_golden)
    wide["cpu_from_golden"] = relative(wide.value_cpu, wide.value_golden)
    wide["other_status"] = (
        wide.status_golden.notna() & (wide.status != wide.status_golden)
    ).astype(int)
    by_proxy = wide.groupby("proxy").agg(
        architectures=("key", "size"),
        compared=("from_cpu", "count"),
        largest_difference_from_cpu=("from_cpu", "max"),
        from_golden=("from_golden", "max"),
        cpu_from_golden=("cpu_from_golden", "max"),
        other_status=("other_status", "sum"),
        seconds=("seconds", "mean"),
    )
    failed = wide[wide.other_status == 1]
    largest = wide[wide.from_cpu > 0].nlargest(10, "from_cpu")
    largest = largest[["space", "task", "proxy", "value", "value_cpu", "value_golden"]]
    part.record(
        done=f"{found[found['where'] == 'device'].key.nunique()} architectures on the device, "
        f"{found[found['where'] == 'cpu'].key.nunique()} on the CPU",
        by_proxy=by_proxy.reset_index().to_dict("records"),
        other_status=failed[[*same, "status", "status_golden", "message"]].to_dict("records"),
        largest=largest.to_dict("records"),
        scores=[[row[key] for key in (*same, "where", "value", "status")] for row in rows],
    )


def relative(values: pd.Series, others: pd.Series) -> pd.Series:
    """Returns |a − b| / |b|, 0 where both are 0, NaN where one has no value."""
    difference = (values - others).abs()
    return (difference / others.abs()).mask(difference == 0, 0.0).replace(math.inf, math.nan)


if __name__ == "__main__":
    run("agreement", measure)
