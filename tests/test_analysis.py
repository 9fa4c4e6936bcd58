"""Joint statistics of several proxies, against slow and independent ways to the same number."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import ROOT, call
from scipy import stats as scipy_stats
from stored import store

from harness import stats, truth
from harness.analyses.question import analyses
from harness.artefacts.drawing import chosen
from harness.core.errors import DataError, HarnessError
from harness.results.finished import find_results
from harness.spaces.cell_graph import is_convolution
from harness.spaces.space import spaces
from harness.stats.joint import partial, rank_matrix, resampled_matrices

RANDOM = np.random.default_rng(0)
ENDS = ("csv", "png")


def test_rank_matrix_is_scipys() -> None:
    columns = RANDOM.integers(0, 20, size=(50, 4)).astype(float)
    assert np.allclose(rank_matrix(columns), scipy_stats.spearmanr(columns).statistic)


def test_constant_column_has_no_correlation() -> None:
    columns = np.column_stack([np.ones(5), np.arange(5.0)])
    matrix = rank_matrix(columns)
    assert np.isnan(matrix[0]).all()
    assert matrix[1, 1] == pytest.approx(1)


def test_resamples_are_those_of_whole_rows() -> None:
    columns = RANDOM.normal(size=(30, 3))
    twice = np.column_stack([columns, columns[:, 0]])
    members = np.arange(30)
    resampled, again = resampled_matrices(
        [twice, -twice], [members, members], 20, np.random.default_rng(1)
    )
    assert np.allclose(again, resampled), "the same architectures in both seeds"
    assert np.allclose(resampled[:, 0, 3], 1)
    assert resampled[:, 0, 1].std() > 0.01
    assert abs(resampled[:, 0, 1].mean() - rank_matrix(columns)[0, 1]) < 0.15


def test_partial_is_the_correlation_of_residuals() -> None:
    given_columns = RANDOM.normal(size=(200, 2))
    x = given_columns @ [1.0, 2.0] + RANDOM.normal(size=200)
    y = given_columns @ [2.0, 1.0] + 0.3 * x + RANDOM.normal(size=200)
    columns = np.column_stack([x, y, given_columns])
    ranks = scipy_stats.rankdata(columns, axis=0)
    design = np.column_stack([np.ones(200), ranks[:, 2:]])
    residuals = ranks[:, :2] - design @ np.linalg.lstsq(design, ranks[:, :2], rcond=None)[0]
    slow = np.corrcoef(residuals.T)[0, 1]
    assert partial(rank_matrix(columns)[None], 0, 1, [2, 3])[0] == pytest.approx(slow)


def test_partial_of_what_is_held_fixed_is_undefined() -> None:
    x, y = RANDOM.normal(size=(2, 40))
    matrix = rank_matrix(np.column_stack([x, y, 2 * x]))
    assert np.isnan(partial(matrix[None], 0, 1, [2])[0])


def scores(n: int = 60, seeds: int = 2, **columns: object) -> pd.DataFrame:
    """Proxies that are the accuracy with more and more noise; params is noise, flops params."""
    parts = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        truth = random.normal(size=n)
        size = random.normal(size=n)
        values = {
            "reg_swap": truth + 0.2 * random.normal(size=n),
            "swap": truth + random.normal(size=n),
            "params": size,
            "flops": size + 0.1 * random.normal(size=n),
        }
        parts += [
            pd.DataFrame(
                {
                    "space": "nb201",
                    "task": "digits",
                    "key": [f"a{i}" for i in range(n)],
                    "proxy": name,
                    "seed": seed,
                    "value": value,
                    "status": "ok",
                    "seconds": 0.1,
                    "message": "",
                    "machine": json.dumps({"device": "cpu"}),
                    "truth": truth,
                }
            )
            for name, value in values.items()
        ]
    return pd.concat(parts, ignore_index=True)


def test_joint_agrees_with_the_summary() -> None:
    table = scores()
    joined = stats.joint(table)
    means = stats.summary(table).set_index("proxy").spearman_mean
    for i, name in enumerate(joined.names):
        assert joined.observed[:, i, -1].mean() == pytest.approx(means[name])


def test_beyond_size_keeps_what_size_does_not_explain() -> None:
    table = stats.beyond_size(stats.joint(scores())).set_index("proxy")
    assert list(table.index) == ["reg_swap", "swap"]
    assert table.partial["reg_swap"] > 0.9
    assert (table.low < table.partial).all()
    assert (table.partial < table.high).all()


def test_beyond_size_of_size_itself_is_undefined() -> None:
    table = scores()
    again = table[table.proxy == "params"].assign(proxy="params_again")
    both = stats.joint(pd.concat([table, again], ignore_index=True))
    row = stats.beyond_size(both).set_index("proxy").loc["params_again"]
    assert np.isnan(row.partial)
    assert np.isnan(row.low)


def test_a_clear_difference_has_an_interval_above_zero() -> None:
    table = stats.differences(stats.joint(scores()), "reg_swap").set_index("proxy")
    assert table.low["swap"] > 0
    assert table.difference["swap"] == pytest.approx(
        stats.differences(stats.joint(scores()), "swap").set_index("proxy").difference["reg_swap"]
        * -1
    )


def test_pairing_makes_intervals_narrow() -> None:
    """Two nearly equal proxies differ by little on every resample, however wide each one's ρ."""
    table = scores()
    close = table[table.proxy == "swap"].copy()
    close["value"] += 0.01 * np.random.default_rng(2).normal(size=len(close))
    both = pd.concat([table, close.assign(proxy="close")], ignore_index=True)
    row = stats.differences(stats.joint(both), "swap").set_index("proxy").loc["close"]
    alone = stats.summary(table).set_index("proxy").loc["swap"]
    assert row.high - row.low < 0.2 * (alone.spearman_high - alone.spearman_low)


def test_failed_runs_leave_an_architecture_out_for_all() -> None:
    table = scores()
    failed = (table.proxy == "swap") & (table.key == "a3")
    table.loc[failed, ["value", "status"]] = [np.nan, "oom"]
    assert stats.joint(table).counts == {"n": 59, "seeds": 2}


def test_order_of_rows_does_not_matter() -> None:
    table = scores()
    shuffled = table.sample(frac=1, random_state=3)
    first = stats.differences(stats.joint(table), "reg_swap")
    second = stats.differences(stats.joint(shuffled), "reg_swap")
    pd.testing.assert_frame_equal(first, second)


def test_analysis_needs_its_proxies() -> None:
    with pytest.raises(HarnessError, match="'nwot' has no scores"):
        stats.differences(stats.joint(scores()), "nwot")


def test_one_proxy_has_no_difference_to_others() -> None:
    alone = stats.joint(scores().query("proxy == 'swap'"))
    with pytest.raises(HarnessError, match="no other proxy"):
        stats.differences(alone, "swap")
    with pytest.raises(HarnessError, match="no other proxy"):
        stats.beyond_size(alone, given=["swap"])


def test_job_leaves_one_folder_that_says_what_it_rests_on(tmp_path: Path) -> None:
    store(tmp_path, scores())
    store(tmp_path, scores().query("proxy != 'params'"), study="small")
    asked = "analysis=[beyond_size,differences,top_k]"
    assert call(tmp_path, "job=analysis", asked, "results=.") == 0
    folder = tmp_path / "analysis"
    names = {f"{name}.{end}" for name in ("beyond_size", "differences") for end in ENDS}
    names |= {"top_k.csv", "top_k_found.png"}  # sixty have no tenth to rank
    assert {path.name for path in folder.iterdir()} == {*names, "run.json"}
    assert set(pd.read_csv(folder / "beyond_size.csv")["column"]) == {"nb201/digits"}
    record = json.loads((folder / "run.json").read_text())
    assert record["files"].keys() == names
    said = record["artefacts"]["beyond_size"]
    assert list(said["results"]) == ["main/nb201/digits"]
    assert "reg_swap" in said["finding"]
    assert call(tmp_path, "job=analysis", asked, "of=small", "results=.") == 1, "no params"


def real(n: int = 500) -> pd.DataFrame:
    """Made-up scores of cells that there are, some of them dead."""
    space = spaces.get("nb201")
    table = scores(n)
    keys = dict(zip(table.key.unique(), space.sample(n, seed=0), strict=True))
    table["key"] = table.key.map(keys)
    counts = table.proxy.isin(["swap", "reg_swap"])  # which are never negative
    table.loc[counts, "value"] = np.exp(table.value[counts])
    dead = table.key.map(lambda key: not space.cells(key)[0].depends_on_input)
    table.loc[dead & (table.proxy == "swap"), ["value", "status"]] = [np.nan, "undefined"]
    return table


def all_alike(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(value=1.0)


def all_undefined(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(value=np.nan, status="undefined")


def equally_accurate(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(truth=50.0)


def one_proxy(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.proxy == "swap"]


def two_architectures(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.key.isin(table.key.unique()[:2])]


@pytest.mark.parametrize(
    "poor", [all_alike, all_undefined, equally_accurate, one_proxy, two_architectures]
)
def test_scores_that_say_nothing_end_in_sentences(poor, tmp_path: Path, capfd) -> None:
    store(tmp_path, poor(real()).assign(task="cifar10"), truth={"variant": "suite_zero"})
    assert call(tmp_path, "job=analysis", "results=.") == 1, "some need studies of their own"
    paper = "paper=[figure4,figure4_all,figure16,figure17,regulariser_rule,table5,figure10,compare]"
    assert call(tmp_path, "job=paper", paper, "results=.") in (0, 1)
    told = "".join(capfd.readouterr())
    assert "mistake of the harness" not in told
    assert "Warning" not in told
    assert "nan" not in told


def test_two_architectures_show_nothing(tmp_path: Path, capfd) -> None:
    store(tmp_path, two_architectures(real()))
    assert call(tmp_path, "job=analysis", "analysis=[similar_proxies,top_k]", "results=.") == 1
    assert "2 architectures are too few, 10 would do" in capfd.readouterr().err


def test_analyses_of_architectures_tell_what_their_tables_hold(tmp_path: Path) -> None:
    names = "equal_size,bias,bias_mitigation,which_architectures,how_many,one_edit,top_k"
    store(tmp_path, real())
    assert call(tmp_path, "job=analysis", f"analysis=[{names}]", "results=.") == 0
    record = json.loads((tmp_path / "analysis" / "run.json").read_text())
    for name in names.split(","):
        said = record["artefacts"][name]
        assert len(said["finding"].split()) <= 45, name
        tables = [tmp_path / "analysis" / file for file in said["files"] if file.endswith("csv")]
        assert all({"column", "n"} <= {*pd.read_csv(table)} for table in tables), name
        assert any(file.endswith("png") for file in said["files"]), name
    assert "of 12 biases" in record["artefacts"]["bias"]["finding"]


def test_a_printed_rho_stands_beside_ours(tmp_path: Path) -> None:
    store(tmp_path, scores())
    table = scores(64).assign(task="cifar10")
    store(tmp_path, table, study="most_convolutions")
    assert call(tmp_path, "job=analysis", "analysis=most_convolutions", "results=.") == 0
    found = pd.read_csv(tmp_path / "analysis" / "most_convolutions.csv").set_index("proxy")
    assert found.published["swap"] == -0.25
    finding = json.loads((tmp_path / "analysis" / "run.json").read_text())
    assert "published −0.25" in finding["artefacts"]["most_convolutions"]["finding"]


def test_the_cells_with_the_most_convolutions_are_those_of_the_table() -> None:
    space = spaces.get("nb201")
    accuracies = truth.load("nb201", "cifar10").set_index("key").value
    listed = pd.read_csv(ROOT / "conf" / "nb201_six_convolutions.csv").set_index("key").value
    most = [k for k in accuracies.index if space.cells(k)[0].count(is_convolution) == 6]
    assert len(most) == 64
    pd.testing.assert_series_equal(listed.sort_index(), accuracies[most].sort_index())


def test_analyses_are_told_in_the_order_of_their_chapters() -> None:
    chapters = [analyses.get(name).chapter for name in chosen(analyses, "all")]
    assert chapters == sorted(chapters)
    assert len({*chapters}) == len(chapters)
    assert all(one.question.endswith("?") for one in analyses.values())


def test_no_results(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="no results"):
        find_results(tmp_path)


def test_broken_result(tmp_path: Path) -> None:
    folder = store(tmp_path, scores())
    (folder / "scores.parquet").write_bytes(b"PAR1 cut short")
    (result,) = find_results(tmp_path)
    with pytest.raises(DataError, match="changed or damaged"):
        _ = result.scores
    (folder / "run.json").unlink()
    (result,) = find_results(tmp_path)
    with pytest.raises(DataError, match=r"run\.json"):
        _ = result.record
