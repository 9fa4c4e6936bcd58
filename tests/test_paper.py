"""The paper's figures and tables on a small made-up folder of results."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from stored import store

from harness import figures, stats, truth
from harness.artefacts.drawing import chosen
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError, HarnessError
from harness.core.sections import Place
from harness.papers.comparison import VERDICTS
from harness.papers.paper_artefacts import artefacts
from harness.papers.swap import ablations
from harness.papers.swap import printed as published
from harness.papers.swap.ablations import groups, swept
from harness.papers.swap.heatmaps import (
    FURTHER_COLUMNS,
    PAPER_COLUMNS,
    figure4_all,
    sorted_means,
)
from harness.papers.swap.input_sizes import CHANNELS, IMAGES, SIDES, study
from harness.papers.swap.selected_sizes import as_printed
from harness.passes.settings import RegulariserSettings
from harness.proxies.swap import size_factor
from harness.results.finished import Result
from harness.results.folder import replacing
from harness.search.swap_nas.encoded_spaces import encoding
from harness.search.swap_nas.selected_architectures import selected_table
from harness.sources.places import checksum
from harness.spaces import darts_swap, nb301
from harness.spaces.darts_space import CIFAR
from harness.spaces.networks.darts_network import DartsNetwork
from harness.spaces.space import spaces

RESULTS = Path(__file__).parent.parent / "results"
SWAP = [
    *(f"figure{i}" for i in ("4", "4_all", "5a", "5b", *range(6, 12), *range(15, 22))),
    *(f"table{i}" for i in range(1, 7)),
    "compare",
    "regulariser_rule",
]
PROXIES = ("swap", "reg_swap", "nwot", "activation_patterns", "params", "plain")
N = 12


def keys_of(space, seed, n):
    if space.startswith("darts_swap"):
        random = np.random.default_rng(seed)
        names = darts_swap.OPERATIONS
        return [
            darts_swap.to_key([(names[random.integers(8)], int(j % 2)) for j in range(8)])
            for _ in range(n)
        ]
    return spaces.get(space).sample(n, seed)


def scores_of(space, task, seeds=(0, 1), proxies=PROXIES, n=N):
    parts = []
    for seed in seeds:
        random = np.random.default_rng([seed, len(task)])
        truth = random.uniform(50, 95, n)
        for i, proxy in enumerate(proxies):
            value = np.exp(truth / 30 + random.normal(0, 0.1 + 0.1 * i, n))
            parts.append(
                pd.DataFrame(
                    {"space": space, "task": task, "key": keys_of(space, seed, n), "proxy": proxy}
                    | {"seed": seed, "value": np.ones(n) if proxy == "plain" else value}
                    | {"status": "ok", "seconds": 0.1, "message": "", "truth": truth}
                )
            )
    table = pd.concat(parts, ignore_index=True)
    table.loc[table.proxy.eq("nwot") & (table.index % N == 0), ["value", "status"]] = [
        np.nan,
        "undefined",
    ]
    return table


def store_searches(root, task, mu, seeds=3, evaluations=120):
    """What SWAP-NAS leaves of searches that met random cells and made-up scores."""
    cells, random = encoding("darts", "tied"), np.random.default_rng([int(10 * mu), seeds])
    rows = [
        ("swap_nas", "reg_swap", mu, seed, i, cells.random(random), mu + random.normal(0, 0.1))
        for seed in range(seeds)
        for i in range(1, evaluations + 1)
    ]
    columns = ["method", "objective", "mu", "seed", "evaluation", "key", "theta"]
    table = pd.DataFrame(rows, columns=columns).assign(status="ok", seconds=0.5, repeated=False)
    fitness = random.uniform(size=len(table))
    table = table.assign(fitness=fitness, score=np.exp(fitness), value=np.exp(fitness) + 1)
    name = f"swap_nas_mu{mu:g}_sigma{mu:g}"
    with replacing(root / "swap_nas" / "darts" / task / name) as fresh:
        table.to_parquet(fresh / "evaluations.parquet")
        selected_table(table, "darts", task, None).to_csv(fresh / "selected.csv", index=False)
        (fresh / "run.json").write_text("{}")
    return table


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("results")
    for task, mu in (("cifar10", 0.9), ("cifar10", 1.2), ("cifar10", 1.5), ("imagenet", 25)):
        store_searches(made, task, mu)
    for space, task in (*PAPER_COLUMNS, *FURTHER_COLUMNS):
        proxies = PROXIES if space != "nb301" else ("swap", "reg_swap")
        inputs = {"stand_in": space.startswith("tnb")}
        store(made, scores_of(space, task, proxies=proxies), inputs=inputs)
    for space in ("nb101", "nb201", "nb301"):
        scores = scores_of(space, "cifar10", proxies=("swap",), seeds=range(6))
        store(made, scores, study="ablation")
    for space in CHANNELS.values():
        for images in IMAGES:
            for side in SIDES:
                store(made, scores_of(space, "cifar10", seeds=(0,)), study=study(images, side))
    return made


@pytest.fixture(scope="module")
def drawn(root):
    results = StoredResults(root)
    return {name: artefacts.get(name).draw(results) for name in SWAP}


def test_every_artefact_is_there_and_has_a_make_target():
    assert set(SWAP) <= set(artefacts)
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    for name in SWAP:
        assert re.search(rf"^{name}: ## ", makefile, re.M), name


def test_every_artefact_has_something_to_write(drawn):
    for name, one in drawn.items():
        assert one.tables or one.figures, name
        assert name in {**one.tables, **one.figures}
        if artefacts.get(name).kind == "figure":
            assert one.figures
        for table in one.tables.values():
            assert len(table)


def texts(figure):
    return " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))


@pytest.mark.parametrize("name", ["figure4", "figure4_all", "figure16", "figure17"])
def test_figures_say_what_they_rest_on(drawn, name):
    words = re.sub(r"\s+", " ", texts(drawn[name].figures[name]))
    assert f"2×{N}" in words
    assert "stand-in" in words
    assert "TNB micro jigsaw*" in words
    assert "NB201 CIFAR-100*" not in words
    assert "failed: 0" in words


def test_columns_of_transformers_name_their_accuracy(tmp_path):
    store(tmp_path, scores_of("pit", "vit_cifar100"), truth={"variant": "kd"})
    store(tmp_path, scores_of("autoformer", "chaoyang"), truth={"variant": "base"})
    words = texts(figure4_all(StoredResults(tmp_path)).figures["figure4_all"])
    assert "PiT CIFAR-100 (kd)" in words
    assert "AutoFormer Chaoyang" in words
    assert "(base)" not in words


def test_no_text_is_clipped_or_covered(drawn):
    for one in drawn.values():
        for figure in one.figures.values():
            figure.canvas.draw()
            box = figure.get_tightbbox(figure.canvas.get_renderer())
            width, height = figure.get_size_inches()
            assert box.x0 > -0.05 and box.y0 > -0.05
            assert box.x1 < width + 0.05 and box.y1 < height + 0.05


def column(folder, space, task, values):
    """A stored result whose proxies have these correlations; NaN for constant scores."""
    rows = []
    for proxy, rho in values.items():
        scores = [0.0, 1.0, 2.0] if rho == 1 else [2.0, 1.0, 0.0] if rho == -1 else [1.0] * 3
        rows += [
            (space, task, f"k{i}", proxy, 0, score, "ok", 50.0 + i)
            for i, score in enumerate(scores)
        ]
    names = ["space", "task", "key", "proxy", "seed", "value", "status", "truth"]
    return Result(space, task, store(folder, pd.DataFrame(rows, columns=names)))


def test_heat_map_is_sorted_by_means_and_undefined_counts_as_nothing(tmp_path):
    easy = column(tmp_path, "a", "x", {"good": 1, "bad": -1, "sometimes": 1})
    hard = column(tmp_path, "b", "x", {"good": 1, "bad": -1, "sometimes": np.nan})
    means, scored = sorted_means([hard, easy])
    assert list(means.index) == ["good", "sometimes", "bad"]
    assert list(means.columns) == ["a/x", "b/x"]
    assert np.isnan(means.loc["sometimes", "b/x"]) and scored.loc["sometimes", "b/x"]


def test_a_proxy_that_was_not_scored_is_not_undefined(tmp_path):
    both = column(tmp_path, "a", "x", {"p": 1, "q": 1})
    one = column(tmp_path, "b", "x", {"p": -1})
    _, scored = sorted_means([both, one])
    assert not scored.loc["q", "b/x"] and scored.loc["p", "b/x"]


def test_rows_are_sorted_by_what_was_scored_everywhere(tmp_path):
    """A proxy that was only scored where ranking is easy does not climb by that."""
    easy = column(tmp_path, "a", "x", {"good": 1, "bad": -1, "rare": 1, "too": -1, "one": 1})
    hard = column(tmp_path, "b", "x", {"good": np.nan, "bad": -1, "one": -1})
    middle = column(tmp_path, "c", "x", {"good": 1, "bad": 1, "too": 1})
    means, scored = sorted_means([hard, easy, middle])
    assert list(means.index) == ["good", "bad", "one", "rare", "too"]
    assert list(means.columns) == ["c/x", "a/x", "b/x"], "by good and bad, which all of them hold"
    assert scored.sum(axis=1).tolist() == [3, 3, 2, 1, 2]


def test_heat_map_marks_undefined_and_leaves_absent_empty(drawn):
    ax = drawn["figure4"].figures["figure4"].axes[0]
    table = drawn["figure4"].tables["figure4"].set_index("proxy")
    absent_cells = 3  # nwot, params and plain on nb301; activation_patterns is not in the paper's
    dashes = [t for t in ax.texts if t.get_text() == figures.printed(float("nan"))]
    assert len(dashes) == len(table.columns) - 1, "plain is constant wherever it was scored"
    assert table.isna().sum().sum() == len(dashes) + absent_cells


def test_groups_of_the_ablation_leave_seed_0_out(root):
    wide, tidy = swept(StoredResults(root).column("nb201", "cifar10", study="ablation"), "table5")
    assert sorted(tidy.seed.unique()) == [1, 2, 3, 4, 5]
    assert len(wide) == len(published.ablation("table5")) == 10
    own = tidy[(tidy.mu == 1.5) & (tidy.sigma == 0.4)]
    row = wide[(wide.mu == 1.5) & (wide.sigma == 0.4)].iloc[0]
    assert row.ours == pytest.approx(own.spearman.mean())
    assert row.difference == pytest.approx(row.ours - row.paper)
    assert [row[f"seed{s}"] for s in range(1, 6)] == own.spearman.tolist()


def test_table6_is_also_swept_by_the_sizes_of_the_scored_networks(root, drawn):
    """The auxiliary head, which the histogram includes, moves every size past mu."""
    assert "ours_without_auxiliary" not in drawn["table5"].tables["table5"]
    wide = drawn["table6"].tables["table6"]
    scores = pd.read_parquet(root / "ablation/nb301/cifar10/scores.parquet").query("seed > 0")
    space = spaces.get("nb301")
    theta = scores.key.map(lambda key: space.count_params(key, "cifar10") / 1e6)
    means = [
        stats.sweep(scores.assign(theta=theta), [pair]).spearman.mean()
        for pair in [(1.0, 1.0), (1.8, 1.3)]
    ]
    rows = wide[((wide.mu == 1) & (wide.sigma == 1)) | ((wide.mu == 1.8) & (wide.sigma == 1.3))]
    assert rows.ours_without_auxiliary.tolist() == pytest.approx(means)
    assert rows.ours.tolist() != pytest.approx(means)


def test_the_rule_is_swept_as_the_default_multiplies(root, drawn):
    """c = 2 is what ``auto`` makes of the scored networks, 0 their sizes, inf swap itself."""
    table = drawn["regulariser_rule"].tables["regulariser_rule"]
    rows = table[table.column == "tnb101_macro/jigsaw"].set_index("c")
    space = spaces.get("tnb101_macro")
    scores = pd.read_parquet(root / "main/tnb101_macro/jigsaw/scores.parquet")
    swap = scores[scores.proxy == "swap"]
    theta = swap.key.map(lambda key: space.theta_params(key, "jigsaw"))
    place = Place("tnb101_macro", "jigsaw", 64, theta.tolist)
    auto = RegulariserSettings().at(place)
    values = {2.0: swap.value * theta.map(lambda size: size_factor(size, auto))}
    values |= {0.0: theta, np.inf: swap.value}
    for c, value in values.items():
        by_seed = stats.correlations(swap.assign(value=value.astype(float)))
        assert rows.spearman[c] == pytest.approx(by_seed.spearman.mean()), c


def test_size_distribution_is_of_group_0(drawn):
    space = spaces.get("nb301")
    keys = space.sample(1000, 0, pool=truth.load("nb301", "cifar10")["key"])
    theta = [space.count_params(key, "cifar10", auxiliary=True) / 1e6 for key in keys]
    row = drawn["figure11"].tables["figure11"].iloc[0]
    assert (row.smallest, row.largest) == (min(theta), max(theta))
    assert drawn["figure11"].tables["figure11_bins"].architectures.sum() == 1000


def test_sizes_of_nas_bench_101_are_the_papers_if_matrices_are_drawn(drawn):
    """Printed: 0.3 to 31, most from 0.3 to 5; cells drawn uniformly are larger."""
    table = drawn["figure9"].tables["figure9"].set_index("sample")
    assert table.loc["labelled", "smallest"] == pytest.approx(0.3, abs=0.02)
    assert table.loc["labelled", "largest"] == pytest.approx(31, abs=1)
    assert table.loc["labelled", "median"] < 3 and table.loc["uniform", "median"] > 4.5
    assert table.loc["uniform", "largest"] > 45
    bins = drawn["figure9"].tables["figure9_bins"]
    assert bins[bins.to <= 5].architectures.sum() > 600


def test_the_plainest_reading_that_meets_the_paper_is_named(root, monkeypatch):
    """Within the paper's groups or little outside; here far more, as the scores are made up."""
    monkeypatch.setattr(ablations, "NEGLIGIBLE", 0.3)
    columns = {
        "as defined": "ours",
        "factor rounded to 4 decimals": "ours_rounded",
        "without underflow": "ours_log",
        "Θ without the auxiliary head": "ours_without_auxiliary",
    }
    found = set()
    for table, space in (("table4", "nb101"), ("table6", "nb301")):
        wide, _ = swept(StoredResults(root).column(space, "cifar10", study="ablation"), table)
        for row in wide.to_dict("records"):
            low, high = (float(end) for end in row["paper_range"].split(" to "))
            met = [n for n, c in columns.items() if low - 0.3 <= row.get(c, 9) <= high + 0.3]
            assert row["meets_paper"] == (met or [""])[0]
            found.add(row["meets_paper"])
    assert {"", "as defined"} < found


def test_tables_of_searches_say_what_was_selected_and_how_it_grew(tmp_path):
    """Sizes from the built network, the best of every search picked by a plain loop."""
    for mu in (0.9, 1.2, 1.5):
        evaluations = store_searches(tmp_path, "cifar10", mu)
    tables = artefacts.get("table1").draw(StoredResults(tmp_path)).tables
    row, course = tables["table1"].iloc[2], tables["table1_course"]
    course = course[course.network == "SWAP-NAS-C"].set_index("evaluations")
    for length in (50, 100, 6050):
        sizes = []
        for seed in range(3):
            mine = evaluations[(evaluations.seed == seed) & (evaluations.evaluation <= length)]
            key = max(zip(mine.fitness, mine.key, strict=True))[1]
            network = DartsNetwork(nb301.parse(key), CIFAR, 10)
            sizes.append(sum(p.numel() for p in network.parameters()) / 1e6)
        assert course.loc[length, "million_params"] == pytest.approx(np.mean(sizes))
    assert row[["smallest", "largest"]].tolist() == pytest.approx([min(sizes), max(sizes)])
    assert (row.minutes, row.paper_minutes) == (pytest.approx(1), 6)
    assert row.searches == 3 and row.paper_million_params == 4.3
    assert len(tables["table1_searches"]) == 9


@pytest.mark.parametrize(
    ("sizes", "printed", "count"),
    [([3.0623, 3.064, 3.066, 3.0], 3.06, 2), ([4.285, 4.2, 4.349], 4.3, 2), ([25.0], 25, 1)],
)
def test_sizes_are_as_printed_if_they_round_to_it(sizes, printed, count):
    assert as_printed(pd.Series(sizes), printed) == count


def test_the_cell_that_is_drawn_is_the_one_of_the_nearest_size(root, drawn):
    sizes = pd.read_csv(root / "swap_nas/darts/imagenet/swap_nas_mu25_sigma25/selected.csv")
    nearest = min(sizes.params_imagenet / 1e6, key=lambda size: abs(size - 5.8))
    assert f"{nearest:.2f} million parameters (paper: 5.8)" in texts(
        drawn["figure21"].figures["figure21"]
    )


def test_figure_5b_names_both_correlations(root, drawn):
    words = re.sub(r"\s+", " ", texts(drawn["figure5b"].figures["figure5b"]))
    table = drawn["figure5b"].tables["figure5b"]
    assert table.mu.tolist() == [0.9, 1.2, 1.5] and table.searches.tolist() == [3] * 3
    parts = [
        pd.read_csv(root / f"swap_nas/darts/cifar10/swap_nas_mu{mu}_sigma{mu}/selected.csv")
        for mu in (0.9, 1.2, 1.5)
    ]
    found = pd.concat(parts)
    theta, final = (found.mu.corr(found[c], "spearman") for c in ("theta", "params_cifar10"))
    assert f"Θ {theta:.2f}, final network {final:.2f}" in words
    rows = drawn["compare"].tables["compare"].query("artefact == 'figure 5b'")
    assert rows.ours.tolist() == pytest.approx([theta, final])


def test_imagenet_classes_add_their_weights(drawn):
    small, large = (drawn[n].tables[n].iloc[0] for n in ("figure5a", "figure7"))
    assert large.smallest - small.smallest == pytest.approx((24 + 1) * 990 / 1e3)


@pytest.mark.parametrize(
    ("table", "rows", "best"), [("table4", 18, 0.756), ("table5", 10, 0.878), ("table6", 10, 0.628)]
)
def test_published_ablations(table, rows, best):
    paper_rows = published.ablation(table)
    assert len(paper_rows) == rows
    groups = paper_rows.filter(like="group")
    assert groups.shape[1] == 5 and groups.notna().all(axis=None)
    assert groups.abs().max(axis=None) < 0.9
    assert groups.mean(axis=1).max() == pytest.approx(best, abs=0.002)
    assert paper_rows["mu"].isna().sum() == 1


def test_published_heat_map_and_table_3():
    heat = published.suite_zero()
    assert heat.shape == (13, 19)
    assert heat.abs().max(axis=None) <= 0.89
    assert heat.loc["nwot", "tnb101_macro/class_scene"] == 0.89
    assert heat.loc["zen", "nb101/cifar10"] == 0.59
    table = published.table3().set_index(["proxy", "side"])
    assert len(table) == 9
    assert tuple(table.loc[("swap", 32)]) == (3567.02, 775.45, 0.90)


def test_comparison_names_every_reason_and_every_gap(drawn):
    table = drawn["compare"].tables["compare"].set_index("column")
    assert set(table.verdict) <= set(VERDICTS)
    open_ones = table[table.verdict.isin(VERDICTS[1:3])]
    heat = open_ones[open_ones.artefact == "heat map"]
    reasons = heat.loc["tnb101_micro/jigsaw"].why
    assert reasons.str.contains(f"n = {N} instead of 1000").all()
    assert reasons.str.contains("2 instead of 10 seeds").all()
    assert reasons.str.contains("stand-in images").all()
    assert not heat.loc["nb201/cifar100"].why.str.contains("stand-in").any()
    assert heat.loc["nb101/cifar10"].why.str.contains("of 15625 instead of 423624").all()
    gaps = table[table.verdict == "not here"]
    assert gaps.why.str.len().gt(5).all()
    assert gaps.quantity.str.contains("ImageNet error").any()
    assert gaps.quantity.str.contains("distinct architectures of N = 100").any()
    assert open_ones.why.str.len().gt(5).all()
    claims = table.quantity.str.endswith("above 0")  # they always say what they rest on
    assert set(table[(table.verdict == "agrees") & ~claims].why) <= {"", "undefined in both"}
    # Twelve architectures whose scores say nothing settle nothing that is near.
    wide = heat[(heat.high - heat.low) > 0.4]
    assert len(wide) and (wide.verdict != "agrees").all()


def test_every_ablation_is_a_sample_of_its_own(root, tmp_path):
    """Another study of the same groups adds rows; nothing else changes."""
    shutil.copytree(root / "ablation", tmp_path / "ablation")
    alone = artefacts.get("table4").draw(StoredResults(tmp_path)).tables["table4"]
    scores = scores_of("nb101", "cifar10", proxies=("swap",), seeds=range(1, 6))
    store(tmp_path, scores, study="ablation_labelled", settings={"swap": {"images": 32}})
    both = artefacts.get("table4").draw(StoredResults(tmp_path)).tables["table4"]
    assert both["sample"].unique().tolist() == ["ablation", "ablation_labelled"]
    assert both.groupby("sample").images.first().tolist() == [16, 32]
    pd.testing.assert_frame_equal(both[: len(alone)], alone)


def test_intervals_of_the_ablation_are_those_of_the_products(root):
    column = StoredResults(root).column("nb201", "cifar10", study="ablation")
    wide, _ = swept(column, "table5")
    scores = groups(column)
    for mu, sigma in [(1.5, 0.4), (0.1, 0.7)]:
        value = stats.regularised(scores.value, scores.theta, mu, sigma)
        expected = stats.summary(scores.assign(value=value)).iloc[0]
        (found,) = wide[(wide.mu == mu) & (wide.sigma == sigma)].to_dict("records")
        assert (found["low"], found["high"]) == pytest.approx(
            (expected.spearman_low, expected.spearman_high)
        )


def test_table_3_lays_out_every_setting(drawn):
    table = drawn["table3"].tables["table3"]
    assert len(table) == 3 * (1 + 4)
    assert list(table.columns[2:4]) == ["3×3", "ρ 3×3"]
    tidy = drawn["table3"].tables["table3_tidy"]
    one = tidy[(tidy.channels == 1) & (tidy.images == 32) & (tidy.side == 15)].set_index("proxy")
    stored = scores_of("darts_swap_c1", "cifar10", seeds=(0,)).query("proxy == 'swap'")
    assert one.loc["swap", "mean"] == pytest.approx(stored.value.mean())
    assert one.loc["swap", "sd"] == pytest.approx(stored.value.std(ddof=1))
    assert one.loc["swap", "paper_mean"] == 859.73


def test_job_draws_what_it_can_and_keeps_what_it_drew_before(root, tmp_path, capsys):
    (tmp_path / "main").mkdir()
    (tmp_path / "main/nb201").symlink_to(root / "main/nb201")
    assert call(tmp_path, "job=paper", "paper=[table6,table5]", "results=.") == 1
    told = capsys.readouterr().err
    assert "table6 could not be drawn" in told and "nb301" in told
    formats = "formats=[csv,md,tex,svg,pdf]"
    assert call(tmp_path, "job=paper", "paper=figure6", formats, "bare=true", "results=.") == 0
    names = {path.name for path in (tmp_path / "paper").iterdir()}
    assert names == {
        *("table5.csv", "table5_groups.csv"),
        *(f"figure6.{suffix}" for suffix in ("csv", "md", "tex", "svg", "pdf")),
        "run.json",
    }
    record = json.loads((tmp_path / "paper/run.json").read_text())
    assert record["artefacts"].keys() == {"table5", "figure6"}
    rests = record["artefacts"]["table5"]["results"]
    assert rests == {"main/nb201/cifar10": checksum(root / "main/nb201/cifar10/run.json")}


def test_figures_show_the_study_that_is_named(root, tmp_path, capsys):
    shutil.copytree(root / "main/nb201", tmp_path / "mine/nb201")
    assert call(tmp_path, "job=paper", "paper=figure16", "results=.") == 1
    assert "holds none of" in capsys.readouterr().err
    assert call(tmp_path, "job=paper", "paper=figure16", "of=mine", "results=.") == 0
    record = json.loads((tmp_path / "paper/run.json").read_text())
    assert all(
        name.startswith("mine/nb201/") for name in record["artefacts"]["figure16"]["results"]
    )


def test_what_paper_names():
    assert chosen(artefacts, "figure4") == ["figure4"]
    assert (
        set(chosen(artefacts, ["figures", "tables"]))
        == set(chosen(artefacts, "all"))
        == set(artefacts)
    )
    assert all(artefacts.get(name).kind == "table" for name in chosen(artefacts, "tables"))
    with pytest.raises(HarnessError, match="Did you mean 'figure4'"):
        chosen(artefacts, "figur4")
    with pytest.raises(HarnessError, match="names no artefact"):
        chosen(artefacts, [])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / "run.json").unlink(), "There is no result"),
        (lambda path: (path / "run.json").write_text("{"), "cannot be read"),
        (lambda path: (path / "run.json").write_text("[]"), "it is no JSON object"),
        (lambda path: forget(path, "truth"), "lacks the entry 'truth'"),
        (lambda path: (path / "scores.parquet").unlink(), "There is no result"),
        (lambda path: (path / "scores.parquet").write_bytes(b"x"), "changed or damaged"),
        (lambda path: path.rename(path.parent / "cifar100"), "is not a result of nb201/cifar100"),
    ],
)
def test_broken_results(tmp_path, spoil, message):
    spoil(store(tmp_path, scores_of("nb201", "cifar10")))
    task = next((tmp_path / "main/nb201").iterdir()).name
    with pytest.raises(DataError, match=message):
        StoredResults(tmp_path).column("nb201", task)


def forget(folder, entry):
    record = json.loads((folder / "run.json").read_text())
    del record[entry]
    (folder / "run.json").write_text(json.dumps(record))


def test_results_with_another_rule_for_undefined_scores_are_refused(tmp_path):
    store(tmp_path, scores_of("nb201", "cifar10"), undefined="drop")
    with pytest.raises(DataError, match="made with undefined=drop"):
        StoredResults(tmp_path).column("nb201", "cifar10")


def test_a_result_of_some_proxies_speaks_of_these_alone(tmp_path):
    store(tmp_path, scores_of("nb201", "cifar10"))
    whole = StoredResults(tmp_path).column("nb201", "cifar10")
    part = replace(whole, proxies=("nwot",))
    for table in (part.scores, part.correlations, part.summary):
        assert set(table.proxy) == {"nwot"}
    assert str(whole.summary_of("nwot")) == str(part.summary_of("nwot"))
    assert part.failures(("undefined",)) == whole.failures(("undefined",)) == 2
    with pytest.raises(DataError, match="0 rows of swap"):
        part.summary_of("swap")
