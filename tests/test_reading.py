"""The three sentences below the closing table: true of the run at hand, whatever it is."""

import numpy as np
import pandas as pd
import pytest

from harness import stats
from harness.config import Config, TruthSettings
from harness.results.reading import sentences

OWN = {"source": "cifar100_train", "stand_in": False, "labels": "true"}
BOX = {"source": "photographs", "stand_in": True, "labels": "random"}
TRUTH = {"metric": "top-1 accuracy, percent", "n": 15_625}


def summary(n: int = 100, seeds: int = 2, **proxies: float) -> pd.DataFrame:
    """Summarises made-up scores that follow the accuracy with some noise; 0 means all equal."""
    random = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        truth = random.permutation(n)
        for proxy, noise in proxies.items():
            value = truth * (noise > 0) + (noise - 1) * random.normal(size=n) * (noise > 1)
            rows.append(
                pd.DataFrame(
                    {
                        "space": "nb201", "task": "cifar100", "proxy": proxy, "seed": seed,
                        "key": [str(i) for i in range(n)], "value": value, "status": "ok",
                        "truth": truth,
                    }
                )
            )  # fmt: skip
    return stats.summary(pd.concat(rows), resamples=50)


def told(table: pd.DataFrame, inputs: dict, config: Config | None = None, **own: bool) -> list[str]:
    config = config or Config(space="nb201", task="cifar100")
    return sentences(table, config, inputs, TRUTH, own_images=own.get("own_images", True))


def test_the_best_proxy_its_correlation_and_its_interval_are_named() -> None:
    table = summary(close=2.0, far=2000.0)
    meaning, certainty, following = told(table, OWN)
    best = table.iloc[0]
    assert f"the highest here is {best.spearman_mean:.2f}, of close" in meaning
    assert "top-1 accuracy, percent" in meaning
    assert certainty.startswith("It rests on 100 architectures of each of 2 seeds: over other")
    assert f"{best.spearman_low:.2f} to {best.spearman_high:.2f}" in certainty
    assert "stand in" not in certainty
    assert following.startswith("Next: the same command with n=1000 seed=0..4 adds to this result")


def test_stand_ins_are_told_and_the_next_command_takes_the_tasks_own() -> None:
    table = summary(seeds=1, close=2.0)
    _, certainty, following = told(table, BOX)
    assert certainty.startswith("It rests on 100 architectures: over other")
    assert certainty.endswith("stand in for the task's own (photographs with random labels).")
    command = "python -m harness space=nb201 task=cifar100 n=1000 seed=0..4"
    assert following == f"Next, on the task's own images: {command}"
    mine = Config(space="nb201", task="cifar100", truth=TruthSettings("csv", "my.csv"))
    assert "task=cifar100 truth=csv truth.path=my.csv n=1000" in told(table, BOX, mine)[2]
    puzzle = told(table, BOX | {"labels": "true"}, own_images=False)
    assert puzzle[1].endswith("stand in for the task's own (photographs).")
    assert puzzle[2].startswith("Next: the same command with n=1000 seed=0..4")


@pytest.mark.parametrize(("n", "pool"), [(1000, 15_625), (300, 300)])
def test_enough_is_enough(n: int, pool: int) -> None:
    table = summary(n=n, seeds=5, close=2.0)
    last = sentences(table, Config(), OWN, TRUTH | {"n": pool}, own_images=True)[-1]
    assert last == "Next: python -m harness job=report puts all results on one page."


def test_no_more_is_asked_for_than_there_are() -> None:
    pool = TRUTH | {"n": 117}
    few = sentences(summary(n=16, close=2.0), Config(), OWN, pool, own_images=True)[-1]
    assert few.startswith("Next: the same command with n=117 seed=0..4 adds to this result")
    every = sentences(summary(n=117, close=2.0), Config(), OWN, pool, own_images=True)[-1]
    assert every == "Next: all 117 are in; seed=0..4 adds other weights and batches."


def test_where_nothing_correlates_nothing_is_explained() -> None:
    assert told(summary(equal=0.0), OWN) == []
    first = told(summary(equal=0.0, close=2.0), OWN)[0]
    assert first.endswith(", of close.")


def test_too_few_for_an_interval() -> None:
    table = summary(close=2.0).assign(spearman_low=np.nan, spearman_high=np.nan)
    assert told(table, OWN)[1].endswith("seeds, too few for an interval.")
    few = told(summary(n=9, close=2.0), OWN)[1]
    assert few == "It rests on 9 architectures of each of 2 seeds, too few for an interval."
    assert "too few" not in told(summary(n=10, close=2.0), OWN)[1]
