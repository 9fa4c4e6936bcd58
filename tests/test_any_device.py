"""Scores of a CPU and of a GPU in one result: only if asked for, and said."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_evaluation import computed, here  # noqa: F401

from harness import evaluation
from harness.config import Config, TruthSettings
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.executors.executor import executors
from harness.inputs.selection import InputSettings
from harness.results.folder import read_record
from harness.scoring.conditions import Conditions
from harness.scoring.scope import Scope
from harness.scoring.shard import score_table
from harness.scoring.study import Study

CPU = Conditions("nb201", "digits", InputSettings(), 4, "cpu", True, Settings())
GPU = replace(CPU, device="cuda")
KEYS = ["a", "b", "c"]


def study(device: str, *, any_device: bool) -> Study:
    of = replace(CPU, device=device)
    return Study(of, ("params",), ("params",), {0: KEYS}, any_device=any_device)


def rows(kinds: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """A row per (key, kind of device, status); the value says of which kind it is."""
    prints = {"cpu": CPU.fingerprint("params"), "cuda": GPU.fingerprint("params"), "other": "?"}
    return pd.DataFrame(
        {
            "key": [key for key, _, _ in kinds],
            "proxy": "params",
            "seed": 0,
            "value": [float(kind == "cuda") for _, kind, _ in kinds],
            "status": [status for _, _, status in kinds],
            "conditions": [prints[kind] for _, kind, _ in kinds],
        }
    )


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_either_device_will_do_only_if_asked(device: str) -> None:
    stored = rows([("a", "cpu", "ok"), ("b", "cuda", "ok"), ("c", "other", "ok")])
    (shard,) = study(device, any_device=True).missing(stored, Path())
    assert (shard.keys, shard.conditions.device) == (("c",), device)
    (shard,) = study(device, any_device=False).missing(stored, Path())
    assert shard.keys == ("b", "c") if device == "cpu" else ("a", "c")


@given(st.permutations([(k, d) for k in KEYS for d in ("cpu", "cuda", "other")]), st.data())
def test_the_own_device_comes_first_and_a_failure_last(order: Any, data: Any) -> None:
    statuses = {one: data.draw(st.sampled_from(["ok", "oom"])) for one in order}
    stored = rows([(*one, statuses[one]) for one in order])
    for device, other in (("cpu", "cuda"), ("cuda", "cpu")):
        found = study(device, any_device=True).scores(stored)
        assert list(found.key) == KEYS
        for row in found.itertuples():
            own, foreign = statuses[row.key, device], statuses[row.key, other]
            assert row.status == ("ok" if "ok" in (own, foreign) else "oom")
            taken = other if own == "oom" and foreign == "ok" else device
            assert row.value == float(taken == "cuda")


def job(n: int = 6, **scope: Any) -> tuple[Config, Scope]:
    truth = TruthSettings("csv", "truth.csv")
    executor = executors.get("local").defaults
    config = Config(task="digits", truth=truth, executor=executor, study="main")
    return config, Scope("params", n=n, batch_size=4, **scope)


def test_a_result_says_whose_scores_it_holds(here: Path, computed: list[Any]) -> None:  # noqa: F811
    config, scope = job()
    done = evaluation.evaluate(config, scope, Settings())
    keys = list(done.accuracies.key)
    on_gpu = evaluation.study_of(replace(config, device="cuda"), scope, Settings(), keys)
    table = score_table(here / "results" / ".work" / "scores" / "nb201" / "digits")
    scores = table.read()
    for path in table.folder.iterdir():
        path.unlink()
    made = scores.assign(  # as a GPU would have left them
        conditions=on_gpu.conditions.fingerprint("params"),
        machine=scores.machine.str.replace('"device": "cpu"', '"device": "cuda", "gpu": "a card"'),
    )
    table.write(("gpu",), made[:4])

    computed.clear()
    config, scope = job(any_device=True)
    folder = evaluation.write(evaluation.evaluate(config, scope, Settings()), config, scope)
    assert len(computed) == 2
    record = read_record(folder)
    assert record["conditions"]["device"] == "cpu or cuda"
    assert {one["device"]: one["scores"] for one in record["computed"]} == {"cpu": 2, "cuda": 4}
    with pytest.raises(HarnessError, match="device"):
        evaluation.evaluate(*job(), Settings())
