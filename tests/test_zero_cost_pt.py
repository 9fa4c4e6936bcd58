"""The search itself on scorers whose answers are known, and what is made of its decisions."""

import numpy as np
import pandas as pd
import pytest
import torch

from harness.core.errors import DataError, HarnessError
from harness.search.supernets.named_supernets import blueprint
from harness.search.supernets.supernet import fix_noise
from harness.search.zero_cost_pt import selected
from harness.search.zero_cost_pt.algorithm import (
    Problem,
    choose,
    count_perturbations,
    decisions,
    removed_edges,
    schedule,
    search_iteration,
)
from harness.search.zero_cost_pt.selected_errors import pooled, summary
from harness.search.zero_cost_pt.stored_searches import ends
from harness.search.zero_cost_pt.zero_cost_pt_settings import ORDERS, ZeroCostPtSettings
from harness.spaces import nb201
from harness.spaces.space import spaces


class Table:
    """Scores from a table, plus what a test wants later decisions to change."""

    def __init__(self, table, change=lambda batch, decided: 0.0):
        self.table, self.change, self.evaluations, self.calls = table, change, 0, []

    def __call__(self, batch, decided, removed):
        self.calls.append((batch, dict(decided), removed))
        self.offset = self.change(batch, decided)
        return self

    def masked(self, edge):
        scores = [score + self.offset for score in self.table[edge]]
        self.evaluations += len(scores)
        return scores

    def removed(self, edges):
        self.evaluations += len(edges)
        return [self.table[edge][0] for edge in edges]


def random_table(space, seed=0):
    net, random = blueprint(space), np.random.default_rng(seed)
    return {edge: random.random(len(net.names(edge))).tolist() for edge in net.edges()}


def problem(space, order, once_order="paper", stream=(0,)):
    net, settings = blueprint(space), ZeroCostPtSettings(order=order, once_order=once_order)
    return Problem(net.operations, net.pruned_nodes, settings, stream)


def edges_in_order(steps, kind="cell"):
    decided = [s for s in steps if s.phase in ("first", "operation") and s.kind == kind]
    return [one.edge for step in decided for one in step.perturbed if one.decided]


@pytest.mark.parametrize(
    ("space", "order", "once_order", "expected"),
    [
        ("nb201", "fixed", "paper", 30),
        ("nb201", "random", "paper", 30),
        ("nb201", "global-op-iter", "paper", 105),
        ("nb201", "global-edge-iter", "paper", 105),
        ("nb201", "global-op-once", "paper", 55),
        ("nb201", "global-edge-once", "paper", 55),
        ("nb201", "global-op-once", "as_released", 60),
        ("darts", "random", "paper", 196 + 24),
        ("darts", "global-op-iter", "paper", 1470 + 24),
        ("darts_s3", "fixed", "paper", 84 + 24),
    ],
)
def test_perturbations_are_as_many_as_the_paper_counts(space, order, once_order, expected):
    task, table = problem(space, order, once_order), Table(random_table(space))
    steps = list(search_iteration(task, table))
    assert table.evaluations == sum(step.evaluations for step in steps) == expected
    assert count_perturbations(task) == expected
    assert set(decisions(steps)) == set(blueprint(space).edges())
    assert len(removed_edges(steps)) == (12 if space != "nb201" else 0)


def test_each_cell_type_is_ranked_by_its_own_scores():
    table = random_table("darts_s2")
    steps = list(search_iteration(problem("darts_s2", "global-op-once"), Table(table)))
    for kind in ("normal", "reduce"):
        expected = sorted(range(14), key=lambda edge: min(table[kind, edge]))
        assert edges_in_order(steps, kind) == expected


@pytest.mark.parametrize("space", ["nb201", "darts_s2"])
def test_the_operation_with_the_lowest_score_is_kept(space):
    table = random_table(space)
    lowest = {edge: int(np.argmin(scores)) for edge, scores in table.items()}
    for order in ORDERS:
        steps = list(search_iteration(problem(space, order), Table(table)))
        assert decisions(steps) == lowest, order


# Edge 3 has the single lowest score, edge 1 the lowest mean; then come 0 and 2 either way round.
SCORES = {0: [4, 30, 30], 1: [5, 6, 7], 2: [8, 9, 10], 3: [1, 40, 90]}
SMALL = {("cell", edge): scores for edge, scores in SCORES.items()}


def small(order, once_order="paper"):
    settings = ZeroCostPtSettings(order=order, once_order=once_order)
    return Problem({"cell": [("a", "b", "c")] * 4}, (), settings)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("fixed", [0, 1, 2, 3]),
        ("global-op-iter", [3, 0, 1, 2]),
        ("global-op-once", [3, 0, 1, 2]),
        ("global-edge-iter", [1, 2, 0, 3]),
        ("global-edge-once", [1, 2, 0, 3]),
    ],
)
def test_edges_are_decided_in_the_order_that_was_asked_for(order, expected):
    assert edges_in_order(search_iteration(small(order), Table(SMALL))) == expected


@pytest.mark.parametrize("order", ["global-op-once", "global-edge-once"])
def test_as_released_both_once_orders_go_backwards(order):
    steps = list(search_iteration(small(order, "as_released"), Table(SMALL)))
    assert edges_in_order(steps) == [3, 2, 1, 0]


def test_once_ranks_before_the_first_decision_and_iter_after_every_one():
    """Once edge 3 is decided, edge 2 becomes the best; only an order that looks again sees it."""

    class Later(Table):
        def masked(self, edge):
            scores = super().masked(edge)
            return [0, 8, 9] if edge == ("cell", 2) and ("cell", 3) in self.calls[-1][1] else scores

    for order, expected in (("global-op-iter", [3, 2, 0, 1]), ("global-op-once", [3, 0, 1, 2])):
        steps = list(search_iteration(small(order), Later(SMALL)))
        assert edges_in_order(steps) == expected
        assert decisions(steps)["cell", 2] == 0, "its operation is chosen by the new scores"


def test_random_orders_differ_between_iterations_and_cell_types_but_not_between_runs():
    table = Table(random_table("darts"))
    orders = set()
    for iteration in range(3):
        steps = list(search_iteration(problem("darts", "random", stream=(0, iteration)), table))
        assert steps == list(
            search_iteration(problem("darts", "random", stream=(0, iteration)), table)
        )
        orders |= {tuple(edges_in_order(steps, kind)) for kind in ("normal", "reduce")}
    assert len(orders) == 6
    assert all(sorted(order) == list(range(14)) for order in orders)


def test_cell_types_share_a_batch_and_the_later_one_sees_the_decision():
    table = Table(random_table("darts"))
    list(search_iteration(problem("darts", "fixed"), table))
    batches = [batch for batch, _, _ in table.calls]
    assert batches == [batch for batch in range(14 + 3) for _ in range(2)]
    (_, before, _), (_, after, _) = table.calls[:2]
    assert (set(before), set(after)) == (set(), {("normal", 0)})
    assert len(table.calls[-1][2]) == (1 + 2 + 3) + (1 + 2), "nodes pruned before stay pruned"


def test_a_node_keeps_the_two_edges_whose_removal_scores_lowest():
    table = random_table("darts")
    steps = list(search_iteration(problem("darts", "random"), Table(table)))
    gone = removed_edges(steps)
    for kind in ("normal", "reduce"):
        for edges in ((2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12, 13)):
            by_score = sorted(edges, key=lambda e: table[kind, e][0])
            assert {e for e in edges if (kind, e) not in gone} == set(by_score[:2])
    assert not gone & {(kind, e) for kind in ("normal", "reduce") for e in (0, 1)}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("space", ["nb201", "darts_s1"])
def test_an_interrupted_iteration_goes_on_where_it_stopped(space, order):
    def change(batch, decided):
        return float(np.sin(7 * batch + len(decided)))

    whole = list(search_iteration(problem(space, order), Table(random_table(space), change)))
    assert len(whole) == len(schedule(problem(space, order)))
    for finished in (1, len(whole) // 2, len(whole)):
        rest = search_iteration(
            problem(space, order), Table(random_table(space), change), whole[:finished]
        )
        assert whole[:finished] + list(rest) == whole


def test_undefined_scores_are_passed_over():
    table = dict(SMALL)
    table["cell", 0] = [float("nan"), 3, 2]
    for order in ORDERS:
        assert decisions(list(search_iteration(small(order), Table(table))))["cell", 0] == 2


def test_the_key_of_a_nb201_cell_is_the_benchmarks():
    operations = blueprint("nb201").operations
    decided = {("cell", edge): edge % 5 for edge in range(6)}
    key = selected.architecture(operations, decided, frozenset())
    assert nb201.parse(key) == tuple(nb201.OPERATIONS[edge % 5] for edge in range(6))
    assert selected.final_params("nb201", key, "cifar10") == spaces.get("nb201").count_params(
        key, "cifar10"
    )


def darts_key(space, operation):
    edges = blueprint(space).edges()
    gone = frozenset((kind, e) for kind in ("normal", "reduce") for e in (2, 5, 6, 9, 10, 11))
    return selected.architecture(blueprint(space).operations, dict.fromkeys(edges, operation), gone)


def test_a_genotype_holds_the_edges_that_remain():
    key = darts_key("darts", 3)
    assert key.startswith(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 2), ('sep_conv_3x3', 2), ('sep_conv_3x3', 3), ('sep_conv_3x3', 3), "
        "('sep_conv_3x3', 4)], normal_concat=[2, 3, 4, 5], reduce=["
    )
    assert "none" not in darts_key("darts_s3", 0)
    assert darts_key("darts_s3", 0).count("skip_connect") == 16


def test_selected_genotypes_can_be_built_with_and_without_noise():
    images = torch.randn(2, 3, 16, 16)
    plain, noisy = (
        selected.build(space, darts_key(space, operation), "digits", seed=0).eval()
        for space, operation in (("darts_s4", 1), ("darts_s4", 0))
    )
    with torch.no_grad():
        assert torch.equal(plain(images), plain(images))
        first = noisy(images)
        assert torch.equal(first, noisy(images)), "the same noise until it is fixed anew"
        fix_noise(noisy, 1)
        assert not torch.equal(first, noisy(images))


DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[2, 3, 4, 5])"
)


@pytest.mark.parametrize("order", ["random", "global-op-once", "global-edge-iter"])
@pytest.mark.parametrize("space", ["nb201", "darts_s3"])
def test_what_is_stored_tells_what_an_iteration_ended_with(space, order):
    steps = list(search_iteration(problem(space, order), Table(random_table(space))))
    rows = [
        {"cell": step.kind, "phase": step.phase, **vars(one)}
        for step in steps
        for one in step.perturbed
    ]
    (ended,) = ends(space, pd.DataFrame(rows).assign(seed=3, iteration=1)).to_dict("records")
    operations = blueprint(space).operations
    key = selected.architecture(operations, decisions(steps), removed_edges(steps))
    assert ended == {"seed": 3, "iteration": 1, "key": key}


def test_final_sizes_are_those_of_papers():
    """The DARTS paper prints 3.3 M for its second-order cell, without the auxiliary head."""
    assert selected.final_params("darts", DARTS_V2, "cifar10") == 3_349_342
    built = selected.build("darts", DARTS_V2, "cifar10", seed=0)
    assert sum(p.numel() for p in built.parameters()) < 400_000, "compared at 16 channels, 8 cells"


def test_what_cannot_be_built_is_told():
    with pytest.raises(HarnessError, match="not a DARTS genotype"):
        selected.build("darts", "|none~0|", "cifar10", 0)


def scores(**of_architecture):
    rows = [(key, score) for key, several in of_architecture.items() for score in several]
    return pd.DataFrame(rows, columns=["architecture", "score"])


def test_the_highest_sum_wins_and_undefined_sums_never():
    assert choose(["a", "b"], scores(a=[1, 2], b=[0, 4])) == "b"
    assert choose(["a", "b"], scores(a=[1, 2], b=[float("nan"), 4])) == "a"
    assert choose(["b", "a"], scores(a=[1, 2], b=[2, 1])) == "b", "the first found among equals"
    assert choose(["a"], scores()) == "a"
    with pytest.raises(DataError, match="defined score"):
        choose(["a", "b"], scores(a=[float("nan")], b=[float("nan")]))


def test_training_runs_are_pooled_as_if_they_were_listed():
    runs = [[94.2, 94.6, 94.1], [93.0, 93.4], [90.5]]
    means = [float(np.mean(r)) for r in runs]
    deviations = [float(np.std(r, ddof=1)) if len(r) > 1 else float("nan") for r in runs]
    listed = np.concatenate(runs)
    expected = (listed.mean(), listed.std(ddof=1))
    assert pooled(means, deviations, [3, 2, 1]) == pytest.approx(expected)


def test_a_summary_pools_the_runs_of_all_searches():
    table = pd.DataFrame(
        {
            "cifar10_error": [6.0, 8.0],
            "cifar10_std": [1.0, float("nan")],
            "cifar10_runs": [3, 1],
            "cifar100_error": [27.0, 29.0],
        }
    )
    rows = summary(table).set_index("task")
    assert rows.error["cifar10"] == pytest.approx((3 * 6 + 8) / 4)
    assert rows["values"].tolist() == [4, 2]
    assert rows.loc["cifar100"].tolist() == pytest.approx([28.0, 2**0.5, 2])
