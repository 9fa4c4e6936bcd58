"""Two searches against the times that their papers print: SWAP-NAS and Zero-Cost-PT on DARTS.

Each is a run of the command line and goes on from what it has stored; one that its time ends is
reported as far as it came.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.gpu.part import Part, run
from harness.inputs.image_sets import read_image_set
from harness.search.supernets.named_supernets import blueprint
from harness.search.zero_cost_pt.algorithm import Problem, count_perturbations
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings

SWAP_NAS = ("experiment=swap_nas_a",)
ITERATIONS, VALIDATIONS = 10, 100
ZERO_COST_PT = (
    *("job=zero_cost_pt", "space=darts", "task=cifar10", "search.counting=faithful"),
    *(f"search.iterations={ITERATIONS}", f"search.validations={VALIDATIONS}"),
)
PRINTED = {
    "swap_nas": "6 minutes (SWAP paper, table 1)",
    "zero_cost_pt": ".018 GPU-days, 26 minutes (Zero-Cost-PT paper, table 4)",
}
WORKERS = 5  # the iterations of Zero-Cost-PT do not depend on each other


def measure(part: Part) -> None:
    """Runs SWAP-NAS with up to half of the time, then Zero-Cost-PT."""
    work = Path(os.environ["GPU_WORK"]) / "searches"
    perturbing = (*ZERO_COST_PT, *images())
    part.record(
        planned={"swap_nas": " ".join(SWAP_NAS), "zero_cost_pt": " ".join(perturbing)},
        printed=PRINTED,
    )
    part.record(swap_nas=swap_nas(part, work))
    part.record(zero_cost_pt=zero_cost_pt(part, work, perturbing))


def images() -> tuple[str, ...]:
    """Returns CIFAR-10 as the paper has it, or noise where the set did not travel whole.

    What the images show changes what is selected, and no time.
    """
    whole = read_image_set("cifar10_train").held is None
    return ("inputs=cifar10", "inputs.augment=true") if whole else ("inputs=gaussian",)


def swap_nas(part: Part, work: Path) -> dict[str, Any]:
    """Searches once and counts the evaluations that were really scored."""
    took = harness(part, work, SWAP_NAS, "swap_nas.log", seconds=part.left / 2)
    tables = shards(work, "swap_nas", "measurements")
    scored = sum(map(len, tables))
    seconds = sum(float(table.seconds.sum()) for table in tables)
    found = list((work / "swap_nas").rglob("run.json"))
    return took | {
        "scored_evaluations": scored,
        "seconds_of_scoring": seconds,
        "ended": bool(found),
    }


def zero_cost_pt(part: Part, work: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    """Searches once; how long all of it takes follows from what is done, if it is not all."""
    workers = WORKERS if part.on_gpu else 1
    own = [f"executor.workers={workers}", *(["executor.gpus=1"] if part.on_gpu else [])]
    took = harness(part, work, (*arguments, *own), "zero_cost_pt.log", seconds=part.left - 2)
    plan = blueprint("darts")
    problem = Problem(plan.operations, plan.pruned_nodes, ZeroCostPtSettings())
    steps, compared = shards(work, "zero_cost_pt", "steps"), shards(work, "zero_cost_pt", "compar")
    done = sum(int((table.phase != "first").sum()) for table in steps)
    asked = ITERATIONS * count_perturbations(problem)
    return took | {
        "workers": workers,
        "perturbations": done,
        "of": asked,
        "comparisons": sum(map(len, compared)),
        "worker_seconds_of_perturbations": sum(float(table.seconds.sum()) for table in steps),
        "ended": bool(list((work / "zero_cost_pt").rglob("run.json"))),
    }


def harness(
    part: Part, work: Path, arguments: tuple[str, ...], log: str, *, seconds: float
) -> dict[str, Any]:
    """Runs the command line and ends it when its time is up."""
    command = [sys.executable, "-m", "harness", *arguments, f"device={part.device}"]
    started = time.monotonic()
    with (work.parent / log).open("wb") as stream:
        process = subprocess.Popen(
            [*command, f"results={work}"], stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            status = str(process.wait(max(seconds, 1)))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)  # its workers end with it
            status = "stopped"
    said = (work.parent / log).read_text(errors="replace").splitlines()[-3:]
    return {
        "status": status,
        "seconds_with_start": time.monotonic() - started,
        "said": " / ".join(line.strip() for line in said)[:300],
    }


def shards(work: Path, job: str, what: str) -> list[pd.DataFrame]:
    """Reads the finished shards of one kind."""
    paths = (work / ".work" / job).rglob("[!.]*.parquet")
    return [pd.read_parquet(path) for path in paths if f"/{what}" in str(path.parent)]


if __name__ == "__main__":
    run("searches", measure)
