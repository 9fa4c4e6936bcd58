"""SWAP-NAS: the course of a search, its budget and memory, and what is said of what it finds."""

import itertools
import json
import shutil
from dataclasses import replace
from itertools import islice
from math import prod

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from harness import truth
from harness.command_line.compose import from_mapping
from harness.core.errors import DataError, HarnessError
from harness.core.sections import Settings
from harness.core.types import Batch
from harness.jobs.job import jobs
from harness.passes.run import Run
from harness.passes.settings import SwapSettings
from harness.passes.static import Layers, layers
from harness.results.folder import checked
from harness.search.swap_nas.encoded_spaces import encoding
from harness.search.swap_nas.encodings import Encoding
from harness.search.swap_nas.evolution import Candidate, search
from harness.search.swap_nas.final_networks import cifar10_size, imagenet_size, network_size
from harness.search.swap_nas.measurement import (
    Evaluator,
    Measurement,
    Objective,
    Scorer,
    objective_of,
    scored_by,
    scored_space,
)
from harness.search.swap_nas.method_comparison import comparison
from harness.search.swap_nas.search_result import truth_of
from harness.search.swap_nas.searches import PATIENCE, run_search, searches_of, until_distinct
from harness.search.swap_nas.selected_architectures import selected_table, trajectories
from harness.search.swap_nas.swap_nas_settings import METHODS, SwapNasSettings
from harness.spaces import darts_space, nb301
from harness.spaces.darts_skeleton import Skeleton
from harness.spaces.networks.darts_network import DartsNetwork
from harness.spaces.space import spaces
from harness.stats.search_comparison import mean_over_seeds, paired_difference

DARTS_V2 = nb301.from_genotype(
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
TINY = SwapNasSettings(population=4, cycles=3, children=2)


class Script(Encoding):
    """Hands out keys in the order of a script, whatever the generator says."""

    def __init__(self, keys):
        self.keys = iter(keys)

    def random(self, random):
        return next(self.keys)

    def mutate_operation(self, key, random):
        return next(self.keys)

    mutate_connection = mutate_operation

    def crossover(self, a, b, random):
        return next(self.keys), next(self.keys)

    matrix = key = operation_mutants = connection_mutants = exchanges = None


def script_of(keys, fitness, evaluations, **settings):
    """Runs a scripted search and returns (cycle, key, parents) of every evaluation."""
    chosen = SwapNasSettings(**{"population": 3, "tournament": 1.0, "children": 2, **settings})
    stream = search(Script(keys), fitness.__getitem__, np.random.default_rng(0), chosen)
    return [(c.cycle, c.key, "".join(c.parents)) for c in islice(stream, evaluations)]


Script.__abstractmethods__ = frozenset()


def test_swap_nas_follows_algorithm_1_by_hand():
    """Worked out on paper: a=1 b=5 c=3 start, then the parents of every cycle.

    Cycle 1 mutates b, the best; of d=4 and e=2, d joins and a, the worst, leaves: b d c.
    Cycle 2 mutates b again; of f=6 and g=7, g joins and c leaves: b d g.
    Cycle 3 mutates g; of h=0 and i=1, i joins and leaves at once, as it is the worst: b d g.
    Cycle 4 mutates g.
    """
    fitness = dict(zip("abcdefghijk", (1, 5, 3, 4, 2, 6, 7, 0, 1, 8, 9), strict=True))
    assert script_of("abcdefghijk", fitness, 11, crossover=0.0) == [
        *((0, "a", ""), (0, "b", ""), (0, "c", "")),
        *((1, "d", "b"), (1, "e", "b"), (2, "f", "b"), (2, "g", "b")),
        *((3, "h", "g"), (3, "i", "g"), (4, "j", "g"), (4, "k", "g")),
    ]


def test_with_crossover_the_better_offspring_is_the_parent():
    """b=5 and c=3 are best and second; their offspring d=4, e=9 are no members, e is mutated."""
    fitness = dict(zip("abcdefghi", (1, 5, 3, 4, 9, 2, 6, 0, 0), strict=True))
    assert script_of("abcdefghi", fitness, 9, crossover=1.0)[3:] == [
        *((1, "d", "bc"), (1, "e", "bc"), (1, "f", "e"), (1, "g", "e")),
        *((2, "h", "gb"), (2, "i", "gb")),  # g=6 joined, e did not
    ]


@pytest.mark.parametrize(("duplicates", "parents"), [(True, "bb"), (False, "bc")])
def test_copies_of_members_join_only_if_they_may(duplicates, parents):
    """Cycle 1 makes b=5 twice, which is a member; then best and second are b and b, or b and c."""
    fitness = {"a": 1, "b": 5, "c": 3, "d": 2, "e": 4, "f": 0, "g": 0}
    course = script_of("abcdebbfg", fitness, 9, crossover=1.0, duplicates=duplicates)
    assert course[7:] == [(2, "f", parents), (2, "g", parents)]


def test_regularised_evolution_removes_the_oldest_by_hand():
    """b=5 leads until it is the oldest; after it has left, e=4 is mutated."""
    fitness = dict(zip("abcdefg", (1, 5, 3, 2, 4, 0, 0), strict=True))
    course = script_of("abcdefg", fitness, 7, method="regularised_evolution")
    assert course[3:] == [(1, "d", "b"), (2, "e", "b"), (3, "f", "e"), (4, "g", "e")]


def test_an_undefined_score_is_the_worst():
    fitness = {"a": -np.inf, "b": -1e300, "c": 3.0, "d": -np.inf, "e": -1e308, "f": 0, "g": 0}
    course = script_of("abcdefg", fitness, 7, crossover=0.0)
    assert course[-1] == (2, "g", "c")
    objective = Objective("reg_swap", 1.0, 1.0, 1e3)
    undefined = Measurement("x", float("nan"), 900, 0.1, "undefined")
    assert objective.fitness(undefined) == -np.inf
    assert np.isnan(objective.score(undefined))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("evaluations", [1, 5, 23])
def test_every_method_evaluates_exactly_its_budget(method, evaluations):
    seen = []
    settings = replace(TINY, method=method, evaluations=evaluations)
    random = np.random.default_rng(0)
    own = encoding("nb201")
    stream = search(own, lambda key: float(seen.append(key) or len(key)), random, settings)
    assert len(list(islice(stream, settings.budget))) == len(seen) == evaluations


def test_the_default_budget_is_what_swap_nas_needs_on_average():
    assert SwapNasSettings().budget == 50 + 1000 * (5 + 2 * 0.5)
    assert {replace(TINY, method=method).budget for method in METHODS} == {4 + 3 * 3}


def test_swap_nas_climbs_where_random_search_cannot():
    """One good operation per edge: the sum over six edges has one best of 15,625 cells."""
    own = encoding("nb201")

    def best(method):
        settings = SwapNasSettings(method=method, population=20, evaluations=600)
        stream = search(own, lambda key: own.matrix(key).sum(), np.random.default_rng(1), settings)
        return max(candidate.fitness for candidate in islice(stream, 600))

    assert best("swap_nas") == best("regularised_evolution") == 24 > best("random")


def test_an_architecture_is_measured_once_and_saved_in_blocks():
    measured, saved = [], []

    def measure(key):
        measured.append(key)
        return Measurement(key, 100.0, 900, 0.1, "ok")

    known = {"z": Measurement("z", 50.0, 900, 0.1, "ok")}
    evaluate = Evaluator(
        measure, Objective("reg_swap", 0.9, 0.9, 1e3), known, saved.append, block=2
    )
    values = [evaluate(key) for key in "azabac"]
    assert measured == ["a", "b", "c"]
    assert [[m.key for m in block] for block in saved] == [["a", "b"]]
    evaluate.flush()
    evaluate.flush()
    assert [[m.key for m in block] for block in saved] == [["a", "b"], ["c"]]
    assert values[0] == pytest.approx(np.log(100)) and values[1] == pytest.approx(np.log(50))


def test_theta_of_darts_counts_thousands():
    """The unit trap: μ = 0.9 means 900 parameters of the small network, not 0.9 million."""
    darts = scored_space("darts", 3, 1)
    objective = objective_of(darts, "cifar10", 0.9, 0.9)
    at_centre = Measurement("x", 100.0, 900, 0.1, "ok")
    away = Measurement("x", 100.0, 1900, 0.1, "ok")
    assert objective.score(at_centre) == pytest.approx(100)
    assert objective.score(away) == pytest.approx(100 * np.exp(-1 / 0.9))
    far = Measurement("x", 100.0, 10**7, 0.1, "ok")
    assert objective.score(far) == 0 and objective.fitness(far) == pytest.approx(-1.11e8, rel=1e-3)
    assert objective_of(spaces.get("nb201"), "cifar10", None, None) == Objective(
        "reg_swap", 1.5, 1.5, 1e6
    )
    assert objective_of(darts, "imagenet", None, None).mu == 25
    with pytest.raises(HarnessError, match="sigma"):
        SwapNasSettings(sigma=0.0)


@pytest.mark.parametrize(("channels", "layers"), [(3, 1), (8, 3)])
def test_without_printed_values_the_scored_networks_own_sizes_decide(channels, layers):
    space = scored_space("darts", channels, layers)
    largest = max(space.count_params(key, "cifar100") for key in space.sample(1000, seed=0))
    objective = objective_of(space, "cifar100", None, None)
    assert objective.mu == largest / 1e3
    assert objective.sigma == pytest.approx(2 * objective.mu**2)


def test_sizes_of_darts_networks_are_the_published_ones():
    """3.349342 and 4.718752 million parameters are what DARTS's scripts print for DARTS_V2."""
    assert cifar10_size(DARTS_V2).params == 3_349_342
    assert imagenet_size(DARTS_V2).params == 4_718_752


@pytest.mark.parametrize(("stem", "side"), [("cifar", 16), ("imagenet", 64), ("none", 12)])
def test_multiply_accumulates_are_those_of_the_layers_that_run(stem, side):
    """The reference runs the network and multiplies the shapes that it sees."""
    skeleton = Skeleton(channels=4, layers=4, stem=stem)
    for key in spaces.get("darts").sample(5, seed=0):
        network = DartsNetwork(nb301.parse(key), skeleton, 7)
        seen = layers(Run(network, Batch(torch.zeros(1, 3, side, side))))[Layers].executed
        macs = sum(
            prod(layer.output_shape) * layer.module.weight[0].numel()
            for layer in seen
            if isinstance(layer.module, (nn.Conv2d, nn.Linear))
        )
        size = network_size(nb301.parse(key), skeleton, side, 7)
        assert size.macs == macs
        assert size.params == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("task", "low", "high"), [("cifar10", 310, 2700), ("imagenet", 25_060, 27_500)]
)
def test_the_small_network_has_the_published_sizes(task, low, high):
    """Figures 5a and 7 of the paper: 0.5 to 2.5 and 25 to 27.5 thousand parameters."""
    small = darts_space.ScoredDarts()
    keys = spaces.get("darts").sample(200, seed=0)
    sizes = [small.theta_params(key, task) for key in keys]
    assert low <= min(sizes) and max(sizes) <= high
    for key in keys[:10]:
        network = small.build(key, task)
        assert sum(p.numel() for p in network.parameters()) == small.theta_params(key, task)


def test_with_one_layer_only_the_reduction_cell_counts():
    a, b = (nb301.parse(key) for key in spaces.get("darts").sample(2, seed=1))
    keys = [nb301.to_key(g) for g in (a, a._replace(normal=b.normal), a._replace(reduce=b.reduce))]
    one, three = darts_space.ScoredDarts(), darts_space.ScoredDarts(layers=3)
    sizes = [one.theta_params(key, "cifar10") for key in keys]
    assert sizes[0] == sizes[1] != sizes[2]
    assert len({three.theta_params(key, "cifar10") for key in keys}) == 3


def test_a_darts_architecture_has_one_key_and_its_printed_genotype():
    space = spaces.get("darts")
    key = space.sample(1, seed=0)[0]
    normal, reduce = nb301.parse(key)
    swapped = nb301.to_key(nb301.parse(key)._replace(normal=(normal[1], normal[0], *normal[2:])))
    assert space.canonical(swapped) == key != swapped
    assert nb301.from_genotype(darts_space.printed(key)) == key
    assert reduce


def configured(tmp_path, job="swap_nas", search=(), **values):
    own = {"population": 6, "cycles": 2, "children": 2, "images": 8}
    return from_mapping(
        {
            "job": job,
            "space": "darts",
            "task": "digits",
            "results": str(tmp_path),
            "executor": {"name": "local"},
            "search": own | dict(search),
            **values,
        }
    )


def searches(config):
    return searches_of(config, config.of(SwapNasSettings), Settings(config.of(SwapSettings)))


def run(*arguments, **values):
    config = configured(*arguments, **values)
    return jobs.get(config.job).run(config)


def test_a_score_depends_on_seed_and_key_alone(tmp_path):
    a, b = spaces.get("darts").sample(2, seed=0)
    scorers = [one.scorer for one in searches(configured(tmp_path, seed="0..2"))]
    first = scorers[0].measure(a).value
    scorers[0].measure(b)
    assert scorers[0].measure(a).value == first > 0
    assert {scorer.measure(a).value for scorer in scorers} != {first}


def test_a_killed_search_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    """The second run measures only what the first did not, and every evaluation is the same."""
    long = {"cycles": 4, "children": 3}
    (whole,) = searches(configured(tmp_path / "whole", search=long))
    run_search(whole)
    (killed,) = searches(configured(tmp_path / "killed", search=long))
    monkeypatch.setattr(Evaluator.__init__, "__defaults__", (4,))

    def stop(done, best, theta):
        if done == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_search(killed, stop)
    assert killed.evaluations().read().empty
    before = set(killed.measurements().read().key)
    assert len(before) >= 8

    measured = []
    original = Scorer.measure
    record = lambda scorer, key: measured.append(key) or original(scorer, key)  # noqa: E731
    monkeypatch.setattr(Scorer, "measure", record)
    run_search(killed)
    assert measured and not before & set(measured)
    a, b = (item.evaluations().read().drop(columns="seconds") for item in (whole, killed))
    pd.testing.assert_frame_equal(a, b)


def test_searches_with_other_settings_are_other_files(tmp_path):
    (base,) = searches(configured(tmp_path))
    others = [
        *searches(configured(tmp_path, swap={"repeats": 2})),
        *(
            searches(configured(tmp_path, search=changed))[0]
            for changed in (
                *({"mu": 1.2}, {"method": "random"}, {"population": 7}, {"evaluations": 9}),
                *({"cell_mode": "separate", "layers": 3}, {"channels": 4}, {"crossover": 0.1}),
            )
        ),
    ]
    assert len({item.evaluations().folder for item in (base, *others)}) == 9
    measured = {item.measurements().folder for item in (base, *others)}
    assert len(measured) == 4  # Ψ does not depend on μ, method or budget, so it is shared
    assert base.name == "swap_nas" and others[1].name == "swap_nas_mu1.2"


def test_the_device_is_tried_where_the_search_runs(tmp_path):
    """A login node without a GPU can submit searches for one."""
    if torch.cuda.is_available():
        pytest.skip("needs a machine without a GPU")
    (item,) = searches(configured(tmp_path, device="cuda"))
    with pytest.raises(HarnessError, match="cannot be used here"):
        run_search(item)
    with pytest.raises(HarnessError, match="device 'gpu'"):
        searches(configured(tmp_path, device="gpu"))


def damage(path):
    """Flips one bit of the first column."""
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("kind", ["measurements", "evaluations"])
def test_a_damaged_search_is_told_and_made_again(tmp_path, kind):
    config = configured(tmp_path)
    (item,) = searches(config)
    run_search(item)
    whole = item.evaluations().read()
    (path,) = getattr(item, kind)().folder.glob("*.parquet")
    damage(path)
    with pytest.raises(DataError, match=f"{path.name} is corrupted.*delete that file"):
        getattr(item, kind)().read()
    path.unlink()
    again = run_search(item).evaluations().read()
    pd.testing.assert_frame_equal(again.drop(columns="seconds"), whole.drop(columns="seconds"))


def evaluated(keys, fitness, method="swap_nas", seed=0):
    table = pd.DataFrame({"key": keys, "fitness": fitness, "method": method, "seed": seed})
    table["evaluation"] = range(1, len(table) + 1)
    table["score"] = table["value"] = np.exp(table.fitness)
    table["repeated"] = table.key.duplicated()
    return table.assign(objective="reg_swap", mu=1.5, theta=1.0, status="ok", seconds=2.0)


def test_true_accuracy_regret_and_rank_of_what_was_selected():
    keys = spaces.get("nb201").sample(4, seed=0)
    truth = pd.DataFrame({"key": keys, "value": [90.0, 95.0, 93.0, 95.0]})
    rows = evaluated([keys[0], keys[2], keys[2], keys[0]], [1.0, 3.0, 3.0, 2.0])
    (best,) = selected_table(rows, "nb201", "cifar10", truth).to_dict("records")
    assert (best["key"], best["selected_at"]) == (keys[2], 2)
    assert (best["truth"], best["regret"], best["rank"]) == (93.0, 2.0, 3)
    assert (best["evaluations"], best["distinct"], best["seconds"]) == (4, 2, 4.0)
    curve = trajectories(rows, truth)
    assert curve.best_truth.tolist() == [90.0, 93.0, 93.0, 93.0]
    assert curve.best_score.is_monotonic_increasing


@pytest.mark.mirror
def test_true_accuracies_of_nas_bench_201_are_looked_up():
    """The best cell of the table has regret 0 and rank 1."""
    truth = truth_of(from_mapping({"space": "nb201", "task": "cifar100"}))
    best = truth.key[truth.value.idxmax()]
    (row,) = selected_table(evaluated([best], [1.0]), "nb201", "cifar100", truth).to_dict("records")
    assert (row["regret"], row["rank"]) == (0.0, 1)
    assert row["truth"] == truth.value.max() > 70


def test_a_comparison_pairs_the_seeds():
    """A constant lead of 1 over noisy seeds is certain, though the means overlap."""
    noise = np.random.default_rng(0).normal(0, 5, 8)
    rows = [
        {
            "method": method,
            "objective": "reg_swap",
            "seed": seed,
            "truth": value + lead,
            "rank": 3,
            "evaluations": 9,
        }
        for method, lead in (("swap_nas", 1.0), ("random", 0.0))
        for seed, value in enumerate(noise)
    ]
    table = comparison(pd.DataFrame(rows)).set_index("method")
    ahead = table.loc["swap_nas"]
    assert ahead.lead_low == pytest.approx(1) and ahead.lead_high == pytest.approx(1)
    assert ahead.p == pytest.approx(2 / 2**8)
    assert table.loc["random", "lead_over_random"] == 0 and table.loc["random", "p"] == 1
    assert ahead.low < table.loc["random", "mean"]
    with pytest.raises(HarnessError, match="every seed"):
        comparison(pd.DataFrame(rows[1:]))


def test_intervals_over_seeds_cover_the_mean():
    """The bootstrap of a mean is close to ±1.96 standard errors."""
    values = np.random.default_rng(1).normal(10, 2, 200)
    interval = mean_over_seeds(values)
    error = values.std() / np.sqrt(200)
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)
    assert np.isnan(mean_over_seeds([1.0]).low)
    assert paired_difference([1, 2], [1, 2])[1] == 1


def test_a_run_leaves_what_it_selected_and_more_seeds_add_up(tmp_path):
    folder = run(tmp_path, seed="0..1")
    assert folder == tmp_path / "swap_nas/darts/digits/swap_nas"
    first = pd.read_csv(folder / "selected.csv")
    assert first.seed.tolist() == [0, 1] and (first.evaluations == 6 + 2 * 3).all()
    assert first.genotype.str.startswith("Genotype(normal=[(").all()
    shutil.rmtree(tmp_path / ".work")  # as in a clone
    run(tmp_path, seed="1..2")
    selected = pd.read_csv(folder / "selected.csv")
    assert selected.seed.tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(selected[:2], first)
    evaluations = pd.read_parquet(folder / "evaluations.parquet")
    assert evaluations.groupby("seed").size().tolist() == [12, 12, 12]
    record = json.loads((folder / "run.json").read_text())
    assert set(record["files"]) == {
        *("selected.csv", "evaluations.parquet", "trajectory.png"),
        *(f"cells/swap_nas_seed{seed}.png" for seed in range(3)),
    }
    (machine,) = record["computed"]
    assert machine["device"] == "cpu" and machine["scores"] == (~evaluations.repeated).sum()
    written = (folder / "run.json").stat().st_mtime_ns
    run(tmp_path, seed=0)
    assert (folder / "run.json").stat().st_mtime_ns == written  # nothing to do
    damage(folder / "evaluations.parquet")
    with pytest.raises(DataError, match="changed or damaged"):
        run(tmp_path, seed=3)


def test_a_result_of_other_conditions_is_never_replaced(tmp_path):
    folder = run(tmp_path)
    for changed, said in (
        ({"search": {"population": 5}}, "search.population=6, now 5"),
        ({"inputs": {"source": "gaussian"}}, "inputs.source"),
        ({"swap": {"init": "gaussian"}}, "swap.init=default, now gaussian"),
    ):
        with pytest.raises(HarnessError, match=f"{said}.*study=NAME"):
            run(tmp_path, seed="0..1", **changed)
    assert run(tmp_path, study="other", **changed) == tmp_path / "other/darts/digits/swap_nas"
    assert run(tmp_path, overwrite=True, **changed) == folder


def test_methods_are_compared(tmp_path):
    """The bundled truth holds a sample of the cells only, so that scores are compared."""
    own = {"job": "compare_searches", "space": "nb201", "search": {"evaluations": 4}}
    folder = run(tmp_path, **own, seed="0..1")
    table = pd.read_csv(checked(folder, "comparison.csv"))
    assert folder == tmp_path / "swap_nas/nb201/digits/comparison"
    assert table.method.tolist() == list(METHODS)
    assert (table.measure == "score").all() and (table["mean"] > 0).all()
    run(tmp_path, **own, seed="0..2")
    assert (pd.read_csv(checked(folder, "comparison.csv")).seeds == 3).all()


ACCURACIES = truth.load("nb201", "cifar10")
BY_KEY = dict(zip(ACCURACIES.key, ACCURACIES.value, strict=True))


def test_objectives_are_compared_where_every_accuracy_is_known(tmp_path):
    folder = run(
        tmp_path,
        **{"job": "compare_searches", "space": "nb201", "task": "cifar10", "seed": "0..1"},
        inputs={"source": "gaussian"},
        search={"evaluations": 8, "distinct": True},
        objectives=["params", "truth"],
    )
    evaluations = pd.read_parquet(folder / "evaluations.parquet")
    assert (evaluations.groupby(["method", "objective", "seed"]).key.nunique() == 8).all()
    selected = pd.read_csv(folder / "selected.csv").set_index(["objective", "seed"])
    assert selected.loc["params"].largest.all()
    met = evaluations[evaluations.objective == "truth"]
    best = met.key.map(BY_KEY).groupby(met.seed).max()
    assert selected.loc["truth"].truth.tolist() == pytest.approx(best.tolist())
    table = pd.read_csv(folder / "comparison.csv").set_index("objective")
    assert table.measure.eq("truth").all() and len(table) == 5
    assert table.lead_over_size["params"] == 0
    assert table.largest_share["params"] == 1
    with pytest.raises(HarnessError, match="not every one of nb201 on digits is known"):
        run(tmp_path, job="compare_searches", space="nb201", objectives=["params"])


def test_an_objective_is_a_score_as_it_promises():
    """Ψ' ranks by its logarithm, others by their score; nothing is regularised but reg_swap."""
    measured = Measurement("x", -3.0, 10**6, 0.1, "ok")
    own = objective_of(spaces.get("nb201"), "cifar10", None, None, "nwot")
    assert (own.fitness(measured), own.score(measured)) == (-3.0, -3.0)
    assert not own.regularised and own.mu == 0
    assert objective_of(spaces.get("nb201"), "cifar10", None, None).fitness(measured) == -np.inf
    with pytest.raises(HarnessError, match="Did you mean 'params'"):
        scored_by("parms")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 6))
def test_a_budget_of_distinct_architectures(keys, budget):
    """It ends with the last new one, or when nothing new is to be expected."""
    stream = itertools.cycle(Candidate(str(key), 0.0, 0, "random") for key in keys)
    taken = list(until_distinct(stream, budget))
    distinct = {candidate.key for candidate in taken}
    if len(set(keys)) >= budget:
        assert len(distinct) == budget
        assert taken[-1].key not in {candidate.key for candidate in taken[:-1]}
    else:
        assert len(taken) == PATIENCE * budget


def test_sizes_follow_mu(tmp_path):
    folder = run(tmp_path, "size_control", seed=0)
    run(tmp_path, "size_control", seed=1)
    selected = pd.read_csv(checked(folder, "selected.csv"))
    assert selected.groupby("mu").seed.apply(list).tolist() == [[0, 1]] * 6
    record = json.loads((folder / "run.json").read_text())
    assert record["resolved"]["spearman"]["theta"] > 0.5
    assert record["computed"][0]["scores"] > 12 * 6
    with pytest.raises(HarnessError, match="add space=darts"):
        run(tmp_path, "size_control", space="nb201")


def test_a_space_without_an_encoding_is_refused(tmp_path):
    with pytest.raises(HarnessError, match="space to search"):
        run(tmp_path, space="nb301", task="cifar10")
