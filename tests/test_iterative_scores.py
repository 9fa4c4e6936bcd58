"""Operation scores while edges are decided one by one: what is scored when, and figure A1."""

import json
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest

from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.zero_cost_pt import iterative_figure
from harness.papers.zero_cost_pt.search_tables import printed
from harness.results.folder import replacing
from harness.search.supernets.nb201_supernet import Nb201Supernet
from harness.search.zero_cost_pt import iterative_measurement, operation_tables
from harness.search.zero_cost_pt.iterative_measurement import iterate
from harness.search.zero_cost_pt.iterative_outputs import correlations
from harness.spaces import nb201

EDGES = [("cell", edge) for edge in range(6)]
DIGITS = "results/iterative_scores/nb201/digits"


def job(folder: Path, *overrides: str) -> int:
    shared = ("job=iterative_scores", "task=digits", "search.images=4", "executor=local")
    return commands.call(folder, *shared, *overrides)


def test_every_iteration_scores_what_is_undecided_and_decides_its_first_edge() -> None:
    best = [3, 1, 4, 1, 0, 2]
    seen: list[tuple[int, dict]] = []

    def scorer_at(iteration, decided):
        seen.append((iteration, decided))
        # The last edge has no value for one operation, which cannot be chosen then.
        return lambda edge: [
            np.nan if edge == EDGES[5] and o == 0 else float(o == best[edge[1]]) for o in range(5)
        ]

    steps = list(iterate(EDGES, scorer_at))
    assert [(i, edge[1]) for i, edge, _ in steps] == [(i, e) for i in range(6) for e in range(i, 6)]
    assert [i for i, _ in seen] == list(range(6))
    for iteration, decided in seen:
        assert decided == {EDGES[e]: best[e] for e in range(iteration)}


class Recorder:
    """Stands in for the scorer of perturbations: removing an operation leaves its index."""

    def __init__(self, calls, net, decided, batch, settings):
        assert len(batch.images) == settings.images
        calls.append((tuple(decided.items()), round(float(batch.images.sum()), 3)))

    def masked(self, edge):
        return [5.0, 4.0, 1.0, 2.0, 3.0]

    def discretised(self, edge):
        return [5.0, 4.0, 1.0, 2.0, float(edge[1])]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple, float]]:
    calls: list[tuple[tuple, float]] = []
    monkeypatch.setattr(
        iterative_measurement, "PerturbationScorer", lambda *args: Recorder(calls, *args)
    )
    return calls


def test_the_job_shows_both_scores_the_same_images_and_adds_seeds_up(tmp_path, calls) -> None:
    assert job(tmp_path) == 0
    images = [shown for _, shown in calls]
    assert len(set(images)) == 6 and images[:6] == images[6:]
    assert calls[5][0] == tuple((edge, 2) for edge in EDGES[:5])  # zc-pt keeps the 1×1
    assert calls[11][0] == tuple((edge, 0) for edge in EDGES[:5])  # disc-zc keeps none
    assert job(tmp_path, "seed=0..1", "methods=zc_pt") == 0
    assert len(calls) == 18
    folder = tmp_path / DIGITS
    stored = pd.read_csv(folder / "scores.csv")
    assert stored.groupby(["method", "seed"]).size().to_dict() == {
        ("disc_zc", 0): 105,
        ("zc_pt", 0): 105,
        ("zc_pt", 1): 105,
    }
    (machine,) = json.loads((folder / "run.json").read_text())["computed"]
    assert machine["scores"] == 315
    assert job(tmp_path, "search.images=5") == 1


def test_rho_is_the_mean_of_the_undecided_edges() -> None:
    random = np.random.default_rng(0)
    best = pd.DataFrame(random.permuted(np.tile(np.arange(5.0), (6, 1)), axis=1))
    best.columns = list(nb201.OPERATIONS)
    rows = [
        ("zc_pt", "s", 0, i, e, name, random.normal())
        for i in range(6)
        for e in range(i, 6)
        for name in random.permutation(nb201.OPERATIONS)
    ]
    columns = ["method", "setting", "seed", "iteration", "edge", "operation", "value"]
    table = pd.DataFrame(rows, columns=columns)
    found = correlations(table, best)
    assert found["edges"].tolist() == [6, 5, 4, 3, 2, 1]
    for row in found.itertuples():
        slow = []
        for edge in range(row.iteration, 6):
            mine = table[(table.iteration == row.iteration) & (table.edge == edge)]
            value = mine.set_index("operation")["value"]
            ranks = [sum(value < value[name]) for name in nb201.OPERATIONS]
            # Without ties, ρ = 1 − 6 Σ d² / n(n² − 1).
            slow.append(
                1 - sum((a - b) ** 2 for a, b in zip(ranks, best.loc[edge], strict=True)) / 20
            )
        assert row.best_acc == pytest.approx(np.mean(slow))


def test_trained_supernets_learn_on_with_what_is_decided(tmp_path, monkeypatch) -> None:
    """On a supernet of three narrow cells: the whole course, then one for each method apart."""
    courses = []
    train = iterative_measurement.train_supernet

    def watched(net, alphas, data, recipe, seed, *, tune=False):
        courses.append((id(net), len(net.state.decided), tune))
        return train(net, alphas, data, recipe, seed, tune=tune)

    monkeypatch.setattr(iterative_measurement, "train_supernet", watched)
    monkeypatch.setattr(
        iterative_measurement, "supernet", lambda *_: Nb201Supernet(10, widths=(2, 2, 2), cells=1)
    )
    recipe = ("images=16", "epochs=1", "batch_size=8", "tune_epochs=1")
    training = [f"train_supernet.{value}" for value in recipe]
    assert job(tmp_path, "methods=[darts_pt,disc_acc]", *training) == 0
    nets, decided, tuned = zip(*courses, strict=True)
    assert decided == (0, *range(1, 6), *range(1, 6))
    assert tuned == (False, *[True] * 10)
    assert len({nets[0], nets[1], nets[6]}) == 3
    stored = pd.read_csv(tmp_path / DIGITS / "scores.csv")
    assert set(stored["setting"]) == {"1 epochs, 16 images"}
    assert stored[stored["method"] == "darts_pt"]["value"].between(-100, 0).all()
    assert stored[stored["method"] == "disc_acc"]["value"].between(0, 100).all()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("methods=[darts]", "method of scoring operations iteratively"),
        ("space=nb101", "space=nb201"),
    ],
)
def test_what_makes_no_sense_is_said(override, message, tmp_path, capsys) -> None:
    assert job(tmp_path, override) == 1
    assert message in " ".join(capsys.readouterr().err.split())


def stored_study(root: Path, task: str, methods: tuple[str, ...], shift: float, **own) -> None:
    """Leaves the authors' correlations, moved, as if they were ours."""
    theirs = iterative_figure.of_authors().drop(columns="scores")
    mine = theirs[theirs["method"].isin(methods)].assign(setting="a course")
    conditions = {"methods": {f"{method}: a course": own for method in methods}}
    with replacing(root / "iterative_scores" / "nb201" / task) as fresh:
        mine.assign(best_acc=mine["best_acc"] + shift).to_csv(fresh / "correlations.csv")
        (fresh / "run.json").write_text(json.dumps({"conditions": conditions}))


def test_figure_a1_shows_ours_beside_the_authors_scores(tmp_path) -> None:
    with pytest.raises(DataError, match="make iterative-scores"):
        iterative_figure.figure_a1(StoredResults(tmp_path))
    stored_study(tmp_path, "cifar10", ("zc_pt", "disc_zc"), shift=0.3, images=64)
    stored_study(tmp_path, "digits", ("darts_pt", "disc_acc", "zc_pt"), shift=0.1)
    results = StoredResults(tmp_path)
    drawn = iterative_figure.figure_a1(results)
    table = drawn.tables["zcpt_figureA1"].set_index(["scores", "method", "iteration"])
    assert table.loc[("authors' logs", "zc_pt", 5), "mean"] == pytest.approx(0.7)
    assert table.loc[("ours, a course, 64 images", "zc_pt", 5), "mean"] == pytest.approx(1.0)
    assert table.loc[("ours on digits, a course", "darts_pt", 5), "search_seeds"] == 4
    lines = [len(ax.lines) for ax in drawn.figures["zcpt_figureA1"].axes]
    assert lines == [3, 2, 2, 2]
    rows = list(iterative_figure.iteration_rows(results, "paper"))
    assert len(rows) == 12, "what is trained, or on other images, is not compared"
    assert {round(row["difference"], 6) for row in rows} == {0.3}
    assert len(results.used) == 2


@pytest.mark.mirror
def test_the_authors_first_iteration_agrees_with_their_sheet() -> None:
    """Both rank operations before anything is decided; the sheet holds means of their seeds."""
    from harness.truth import nb201_truth, published_scores

    best = operation_tables.from_accuracies(nb201_truth.load_runs(), "max")
    sheet = published_scores.load_operation_scores()
    for method in ("zc_pt", "darts_pt"):
        first = [row[0] for row in printed()["figure_a1"][method]]
        of_means = operation_tables.correlation(operation_tables.from_sheet(sheet, method), best)
        assert min(first) - 0.01 <= of_means <= max(first) + 0.01
