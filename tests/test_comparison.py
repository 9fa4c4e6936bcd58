"""The comparison with the papers: its rows, and what they are made of."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from harness.artefacts.stored_results import StoredResults
from harness.papers.compare import counted
from harness.papers.comparison import VERDICTS, absent, claimed, compared, undefined_in_both
from harness.papers.paper_artefacts import artefacts
from harness.papers.swap.selected_sizes import searches
from harness.papers.zero_cost_pt import zero_cost_pt_comparison
from harness.papers.zero_cost_pt.zero_cost_pt_comparison import standings
from harness.sources import download
from harness.spaces import nb201
from harness.stats.verdict import Estimate, exact
from harness.truth import nb201_truth

RESULTS = Path(__file__).parent.parent / "results"


def row(paper, ours, low, high, scale=1):
    return compared(
        "SWAP",
        "table5",
        "c",
        "q",
        paper=exact(paper),
        ours=Estimate(ours, low, high),
        why="n = 50",
        scale=scale,
    )


def test_rows_of_the_comparison():
    near = row(0.80, 0.85, 0.78, 0.89)
    assert (near["verdict"], near["why"]) == ("agrees", "")
    assert (near["low"], near["high"]) == (pytest.approx(-0.02), pytest.approx(0.09))
    assert (row(0.80, 0.7, 0.65, 0.75)["verdict"], row(0.8, 0.7, 0.65, 0.75)["why"]) == (
        "differs",
        "n = 50",
    )
    assert row(0.80, 0.6, -0.23, 0.92)["verdict"] == "too few to tell"
    missing = row(0.80, *[np.nan] * 3)
    assert missing["verdict"] == "differs" and "undefined" in missing["why"]
    assert undefined_in_both(missing)["verdict"] == "agrees"
    # Of what is no correlation, shares of the printed number count.
    assert row(500, 540, 530, 549, scale=None)["verdict"] == "differs"
    assert row(500, 540, 505, 549, scale=None)["verdict"] == "agrees"
    positive = claimed("SWAP", "figure 8", "c", "q", ours=Estimate(0.5, 0.1, 0.7), why="w")
    assert positive["verdict"] == "agrees"
    table = pd.DataFrame(
        [near, missing, row(0.8, 0.6, 0, 1), absent("SWAP", "table5", "", "", "w")]
    )
    assert counted(table)[list(VERDICTS)].to_numpy().tolist() == [[1, 1, 1, 1]]


@pytest.mark.mirror
def test_both_papers_are_compared_with_what_is_committed():
    """Every artefact that prints numbers has a row, searches and operation scores included."""
    table = artefacts.get("compare").draw(StoredResults(RESULTS)).tables["compare"]
    stored = table[table.verdict != "not here"]
    found = set(zip(stored.source, stored.artefact, strict=True))
    assert {
        ("SWAP", f"{name}") for name in ("table 1", "table 2", "figure 5b", "figure 8")
    } <= found
    assert {("Zero-Cost-PT", f"table {i}") for i in (1, 2, 3, 4, 5)} <= found
    sheet = stored[stored.column.fillna("").str.contains("authors' sheet")]
    assert len(sheet) == 14 and (sheet.verdict == "agrees").all(), "computed from their own scores"
    same = stored[stored.column.fillna("").str.contains("synflow, faithful")]
    assert len(same) == 3 and (same.verdict == "agrees").all(), "every seed selects one cell"


def test_without_a_network_the_other_numbers_are_compared(tmp_path, monkeypatch):
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.setattr(download, "download", refuse)
    table = artefacts.get("compare").draw(StoredResults(RESULTS)).tables["compare"]
    lacking = table[table.quantity == "what rests on an outside file"]
    assert set(lacking.artefact) >= {"table 1", "table 4"}
    assert lacking.why.str.contains("could not be downloaded").all()
    assert (table[table.source == "SWAP"].verdict != "not here").sum() > 50


def refuse(*_):
    raise OSError("no network")


@pytest.mark.mirror
def test_selections_of_single_seeds_say_how_much_they_vary():
    """Edge by edge the operation of the highest score, looked up among all training runs."""
    scores = pd.read_csv(RESULTS / "operation_scores/nb201/cifar10/scores.csv")
    found = standings(scores, "zc_pt", "nwot, faithful")
    runs = nb201_truth.load_runs()
    means = runs.groupby("key").accuracy.mean().round(6)
    for seed, row in enumerate(found.itertuples()):
        mine = scores[(scores.method == "zc_pt") & (scores.seed == seed)]
        best = mine.loc[mine.groupby("edge").value.idxmax()].sort_values("edge").operation
        accuracy = means[nb201.to_key(best.tolist())]
        assert row.error == pytest.approx(100 - accuracy)
        assert row.rank == 1 + sum(means > accuracy)
    assert len(found) == 4


def test_distinct_architectures_are_counted_in_the_printed_iterations(tmp_path, monkeypatch):
    """Of 120 iterations the first hundred count, seed by seed; a shorter search is not compared."""
    steps = pd.DataFrame({"iteration": [0]})
    met = pd.DataFrame(
        [
            (seed, i, f"k{i % (20 + seed)}" if i < 100 else f"late {i}")
            for seed in (0, 1)
            for i in range(120)
        ],
        columns=["seed", "iteration", "key"],
    )
    module = zero_cost_pt_comparison
    settings = {"order": "random", "proxy": "nwot"}
    monkeypatch.setattr(module, "search_folders", lambda root: [tmp_path / "nwot-faithful-random"])
    monkeypatch.setattr(module, "read_record", lambda folder: {"config": {"search": settings}})
    monkeypatch.setattr(module, "read_searches", lambda folder: SimpleNamespace(steps=steps))
    monkeypatch.setattr(module, "ends", lambda space, steps: met)
    (found,) = module.distinct_rows(StoredResults(tmp_path))
    assert (found["ours"], found["paper"]) == (20.5, 27.8)
    monkeypatch.setattr(module, "ends", lambda space, steps: met[met.iteration < 50])
    (found,) = module.distinct_rows(StoredResults(tmp_path))
    assert found["verdict"] == "not here" and "50 iterations" in found["why"]


def test_a_search_that_two_results_hold_counts_once():
    found = searches(StoredResults(RESULTS), "cifar10")
    assert found.mu.eq(0.9).sum() == 5, "size_control and the search of SWAP-NAS-A hold these"
    assert not found.duplicated(["mu", "seed"]).any()
