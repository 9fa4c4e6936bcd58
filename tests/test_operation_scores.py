"""Operation scores of Zero-Cost-PT: what the benchmark's and the authors' tables say, exactly."""

import numpy as np
import pandas as pd
import pytest

from harness.core.errors import DataError
from harness.papers.zero_cost_pt.search_tables import printed
from harness.search.zero_cost_pt import operation_tables
from harness.spaces import nb201
from harness.spaces.space import spaces
from harness.truth import nb201_truth, published_scores

# Columns none, skip, 1×1, 3×3, average pooling; a row per edge (table A2).
BEST_ACC = [
    [94.15, 94.18, 94.44, 94.68, 93.86],
    [94.24, 94.16, 94.49, 94.68, 94.09],
    [94.25, 94.43, 94.49, 94.68, 94.19],
    [94.16, 94.68, 94.03, 94.04, 93.85],
    [94.29, 94.18, 94.56, 94.68, 94.23],
    [94.05, 94.16, 94.68, 94.56, 94.10],
]
# The released accuracies average to this on edge 0; the authors' sheet has 77.36 to 87.32.
AVG_ACC_EDGE_0 = [80.27, 87.25, 89.58, 90.65, 84.97]

NONE, SKIP, CONV1, CONV3, POOL = range(5)
SELECTED = {
    "best_acc": ([CONV3, CONV3, CONV3, SKIP, CONV3, CONV1], 5.63, 1),
    "avg_acc": ([CONV3] * 6, 6.24, 166),
    "disc_acc": ([SKIP, NONE, NONE, SKIP, NONE, NONE], 13.59, 12_788),
    "darts_pt": ([SKIP, SKIP, CONV3, SKIP, SKIP, SKIP], 19.43, 13_770),
    "disc_zc": ([SKIP, SKIP, CONV1, SKIP, SKIP, SKIP], 22.96, 14_274),
    "zc_pt": ([CONV3, CONV3, CONV1, SKIP, CONV3, CONV1], 5.805, 14),
    "darts": ([SKIP] * 6, 45.70, 15_231),
}
# Upper triangle of figure 2, in the order of operation_tables.METHODS.
FIGURE_2 = [
    [1, 0.65, -0.3167, 0.4167, 0.1, 0.7667, 0.2],
    [1, -0.4833, 0.6667, 0.0333, 0.8333, 0.3167],
    [1, -0.2167, 0.1167, -0.3167, 0.35],
    [1, 0.4, 0.5833, 0.65],
    [1, 0.2167, 0.5],
    [1, 0.45],
    [1],
]


def key_of(operations: list[int]) -> str:
    return nb201.to_key([nb201.OPERATIONS[i] for i in operations])


def table(values: object) -> pd.DataFrame:
    return pd.DataFrame(values, columns=list(nb201.OPERATIONS), dtype=float)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return nb201_truth.load_runs()


@pytest.fixture(scope="module")
def sheet() -> pd.DataFrame:
    return published_scores.load_operation_scores()


@pytest.mark.mirror
def test_every_training_run_is_there(runs: pd.DataFrame) -> None:
    counts = runs.groupby("key").size().value_counts()
    assert counts.to_dict() == {1: 2_225, 2: 5_439, 3: 7_961}
    assert set(runs["run"]) == {0, 1, 2}


@pytest.mark.mirror
def test_best_acc_of_table_a2_to_the_digit(runs: pd.DataFrame) -> None:
    best = operation_tables.from_accuracies(runs, "max")
    assert best.columns.tolist() == list(nb201.OPERATIONS)
    np.testing.assert_array_equal(best, BEST_ACC)


@pytest.mark.mirror
def test_avg_acc_pools_runs_and_is_not_the_printed_one(
    runs: pd.DataFrame, sheet: pd.DataFrame
) -> None:
    ours, theirs = (
        operation_tables.from_accuracies(runs, "mean"),
        operation_tables.from_sheet(sheet, "avg_acc"),
    )
    np.testing.assert_allclose(ours.loc[0], AVG_ACC_EDGE_0, atol=0.005)
    assert theirs.loc[0].tolist() == [77.36, 83.81, 86.38, 87.32, 81.02]
    assert (ours - theirs).to_numpy().min() > 2
    assert operation_tables.select(ours) == operation_tables.select(theirs)
    assert operation_tables.correlation(ours, theirs) > 0.9


@pytest.mark.mirror
@pytest.mark.parametrize("method", operation_tables.METHODS)
def test_table_1(method: str, runs: pd.DataFrame, sheet: pd.DataFrame) -> None:
    """From the authors' sheet, and from the accuracies where these are the scores."""
    tables = [operation_tables.from_sheet(sheet, method)]
    for pool, name in (("max", "best_acc"), ("mean", "avg_acc")):
        tables += [operation_tables.from_accuracies(runs, pool)] if name == method else []
    operations, error, rank = SELECTED[method]
    for scores in tables:
        key = operation_tables.select(scores)
        place = operation_tables.standing(key, runs)
        assert key == key_of(operations)
        assert place is not None
        assert place.rank == rank
        assert place.error == pytest.approx(error, abs=0.005)
        if method != "disc_acc":
            paper_error, paper_rank = printed()["table1"][method]
            assert place.rank == paper_rank
            assert place.error == pytest.approx(paper_error, abs=0.0051)


@pytest.mark.mirror
def test_the_printed_disc_acc_is_one_search_seed_and_gives_the_printed_cell(
    runs: pd.DataFrame,
) -> None:
    key = operation_tables.select(table(printed()["table_a2"]["disc_acc"]))
    assert key == key_of([NONE, NONE, NONE, SKIP, NONE, NONE])
    place = operation_tables.standing(key, runs)
    assert place is not None
    assert place.rank == printed()["table1"]["disc_acc"][1] == 12_744
    assert place.error == pytest.approx(13.55, abs=0.005)


@pytest.mark.mirror
def test_figure_2(sheet: pd.DataFrame) -> None:
    tables = {
        method: operation_tables.from_sheet(sheet, method) for method in operation_tables.METHODS
    }
    tables["disc_acc"] = table(printed()["table_a2"]["disc_acc"])
    matrix = operation_tables.correlation_matrix(tables).to_numpy()
    expected = np.zeros((7, 7))
    for row, values in enumerate(FIGURE_2):
        expected[row, row:] = values
        expected[row:, row] = values
    np.testing.assert_allclose(matrix, expected, atol=5e-5)


@pytest.mark.mirror
def test_two_architectures_share_the_best_mean(runs: pd.DataFrame) -> None:
    for last in ([CONV3, CONV1], [CONV1, CONV3]):
        place = operation_tables.standing(key_of([CONV3, CONV3, CONV3, SKIP, *last]), runs)
        assert place is not None
        assert place.rank == 1


def some_runs(n: int = 300) -> pd.DataFrame:
    random = np.random.default_rng(0)
    keys = spaces.get("nb201").sample(n, seed=0)
    rows = [
        (key, round(float(accuracy), 2))
        for key in keys
        for accuracy in random.uniform(10, 95, size=random.integers(1, 4))
    ]
    return pd.DataFrame(rows, columns=["key", "accuracy"])


@pytest.mark.parametrize(("pool", "reduce"), [("max", max), ("mean", np.mean)])
def test_scores_from_accuracies_against_a_plain_loop(pool, reduce) -> None:
    runs = some_runs()
    found = operation_tables.from_accuracies(runs, pool)
    for edge in range(6):
        for name in nb201.OPERATIONS:
            having = [
                accuracy
                for key, accuracy in runs.itertuples(index=False)
                if nb201.parse(key)[edge] == name
            ]
            assert found.loc[edge, name] == pytest.approx(reduce(having))


def test_an_operation_that_no_architecture_has_is_an_error() -> None:
    runs = some_runs()
    without = runs[[nb201.parse(key)[2] != "none" for key in runs["key"]]]
    with pytest.raises(DataError, match="lack an edge, an operation or a value"):
        operation_tables.from_accuracies(without, "max")


def test_the_first_of_equal_operations_is_selected() -> None:
    values = np.zeros((6, 5))
    values[:, 3] = values[:, 4] = 1
    assert operation_tables.select(table(values)) == key_of([CONV3] * 6)


def test_ranks_count_the_strictly_better() -> None:
    keys = [key_of([i] * 6) for i in range(4)]
    runs = pd.DataFrame(
        # The first two means are equal, but not as sums of floats.
        [(keys[0], a) for a in (57.59, 89.48, 33.57)]
        + [(keys[1], a) for a in (58.22, 88.85, 33.57)]
        + [(keys[2], 60.30), (keys[2], 60.10), (keys[3], 60.20)],
        columns=["key", "accuracy"],
    )
    means = runs.groupby("key")["accuracy"].mean()
    assert means[keys[0]] != means[keys[1]]
    places = [operation_tables.standing(key, runs) for key in keys]
    assert [place.rank for place in places if place] == [1, 1, 3, 3]
    assert operation_tables.standing(key_of([4] * 6), runs) is None


def test_correlation_is_that_of_midranks_averaged_over_edges() -> None:
    random = np.random.default_rng(1)
    first, second = (table(random.integers(0, 3, size=(6, 5))) for _ in range(2))
    by_edge = [first.loc[e].rank().corr(second.loc[e].rank()) for e in range(6)]
    assert operation_tables.correlation(first, second) == pytest.approx(np.mean(by_edge))
    distinct = table(random.permuted(np.tile(np.arange(5), (6, 1)), axis=1))
    assert operation_tables.correlation(distinct, -distinct) == pytest.approx(-1)
    assert np.isnan(operation_tables.correlation(distinct, table(np.ones((6, 5)))))


def test_rows_and_tables_are_the_same_numbers() -> None:
    values = table(np.random.default_rng(2).normal(size=(6, 5)))
    rows = operation_tables.to_rows(values.rename_axis(index="edge", columns="operation"))
    assert len(rows) == 30
    np.testing.assert_array_equal(operation_tables.from_rows(rows), values)
    twice = pd.concat([rows.assign(seed=0), rows.assign(seed=1, value=rows["value"] + 2)])
    np.testing.assert_allclose(operation_tables.from_rows(twice), values + 1)


HEAD = "edge\\op,none,skip_connect,nor_conv_1x1,nor_conv_3x3,avg_pool_3x3,\n"
ROW = "acc,77.36±22.55,83.81 ±10.64, 86.38±9.1,87.32,81.02,\n"


def test_sheet_cells_hold_means_deviations_and_remarks(tmp_path) -> None:
    path = tmp_path / "sheet.csv"
    zc = "zc pt,1,2,3,4,5,3\n"
    path.write_text(HEAD + ",,,,,,\n".join([ROW + zc] * 6))
    found = published_scores.read_operation_scores(path, "cifar10")
    assert len(found) == 60
    first = found[(found["method"] == "acc") & (found["edge"] == 5)]
    assert first["value"].tolist() == [77.36, 83.81, 86.38, 87.32, 81.02]
    assert first["deviation"].tolist()[:3] == [22.55, 10.64, 9.1]
    assert operation_tables.from_sheet(found, "zc_pt").loc[2].tolist() == [-1, -2, -3, -4, -5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + ",,,,,,\n".join([ROW] * 5), "five operations on six edges"),
        (HEAD + ",,,,,,\n".join([ROW] * 5 + [ROW + ROW]), "five operations on six edges"),
        (HEAD + ",,,,,,\n".join([ROW.replace("87.32", "")] * 6), "holds ''"),
        (HEAD.replace("none", "zero") + ",,,,,,\n".join([ROW] * 6), "five operations"),
    ],
)
def test_a_faulty_sheet_is_refused(text: str, message: str, tmp_path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        published_scores.read_operation_scores(path, "cifar10")
