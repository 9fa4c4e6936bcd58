"""What correlations cost: fronts by their definition, and seconds whose parts are known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from hypothesis import given
from hypothesis import strategies as st
from stored import store
from test_analysis import scores

from harness import stats

POINTS = st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 3)), min_size=1, max_size=8)
MACHINE = json.dumps({"device": "cpu", "cpu": "some <processor>"})


@given(POINTS)
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    costs, values = np.array(points).T
    expected = [
        not any((c <= a and v >= b) and (c, v) != (a, b) for c, v in points) for a, b in points
    ]
    assert stats.on_front(costs, values).tolist() == expected
    stacked = stats.on_front(costs, np.stack([values, -values]))
    assert stacked[0].tolist() == expected


def test_undefined_is_never_on_the_front_and_beats_nothing() -> None:
    assert stats.on_front([1, 2], [np.nan, 0.1]).tolist() == [False, True]


def test_passes_that_were_shared_are_paid_in_full() -> None:
    """Passes of 6, 2 and 5 seconds; formulas take no time."""
    passes = {
        "a": ["one"], "b": ["one"], "c": ["one", "two"], "d": ["two"], "e": ["one", "three"],
    }  # fmt: skip
    whole = {"one": 6.0, "two": 2.0, "three": 5.0}
    users = {"one": 4, "two": 2, "three": 1}
    shares = {
        proxy: sum(whole[name] / users[name] for name in names) for proxy, names in passes.items()
    }
    alone = stats.seconds_alone(shares, passes)
    for proxy, names in passes.items():
        assert alone[proxy] == pytest.approx(sum(whole[name] for name in names))


def test_a_population_costs_what_its_parts_do() -> None:
    shares = {"a": 1.0, "b": 3.0, "ranks": 0.0}
    passes = {"a": ["one"], "b": ["two"], "ranks": ["one", "two"]}
    alone = stats.seconds_alone(shares, passes)
    assert alone == {"a": 2.0, "b": 6.0, "ranks": 8.0}


def test_pareto_of_scores() -> None:
    joined = stats.joint(scores())
    table = stats.pareto(joined, {"reg_swap": 4.0, "swap": 9.0, "params": 1.0, "flops": 2.0})
    assert list(table.proxy) == ["params", "flops", "reg_swap", "swap"]
    rows = table.set_index("proxy")
    assert rows.on_front["params"], "nothing is cheaper"
    assert rows.on_front["reg_swap"]
    assert not rows.on_front["swap"], "dearer and worse"
    assert rows.front_share["swap"] == 0
    assert rows.front_share["reg_swap"] == 1
    means = stats.summary(scores()).set_index("proxy").spearman_mean
    np.testing.assert_allclose(rows.spearman, means[rows.index])
    assert (rows.low < rows.spearman).all()


def test_analysis_tells_devices_apart(tmp_path: Path) -> None:
    table = scores().assign(machine=MACHINE, seconds=0.5)
    table.loc[table.seed == 1, "machine"] = json.dumps({"device": "cuda:0"})
    table.loc[table.seed == 1, "seconds"] = 0.1
    store(tmp_path, table)
    assert call(tmp_path, "job=analysis", "analysis=cost", "results=.") == 0
    drawn = pd.read_csv(tmp_path / "analysis/cost.csv")
    assert set(drawn.device) == {"cpu", "cuda"}
    at = drawn.set_index(["device", "proxy"]).seconds
    assert at["cpu", "params"] == pytest.approx(1.5), "three proxies need its pass"
    assert at["cuda", "params"] == pytest.approx(0.3)
    finding = json.loads((tmp_path / "analysis/run.json").read_text())["artefacts"]["cost"]
    assert "n = 60" in finding["finding"]
