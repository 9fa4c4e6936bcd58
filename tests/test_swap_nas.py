"""SWAP-NAS: the course of a search, its budget and memory, and what is said of what it finds."""

from dataclasses import replace
from itertools import islice
from math import prod

import numpy as np
import pandas as pd
import pytest
import torch
from commands import call
from torch import nn

from harness.config import from_mapping
from harness.errors import HarnessError
from harness.inputs import InputSettings
from harness.jobs.compare_searches import comparison
from harness.passes import Run, SwapSettings
from harness.passes.static import Layers, layers
from harness.runs.search_results import found_table, trajectories, truth_of
from harness.runs.searches import run_search, searches_of
from harness.search.encoded_spaces import encoding
from harness.search.encodings import Encoding
from harness.search.evaluation import Evaluator, Measurement, Objective, Scorer, objective_of
from harness.search.evolution import budget, search
from harness.search.final_networks import cifar10_size, imagenet_size, network_size
from harness.search.settings import METHODS, SearchSettings
from harness.spaces import darts_space, nb301, spaces
from harness.spaces.darts_networks import Network, Skeleton
from harness.stats.search import mean_over_seeds, paired_difference
from harness.types import Batch

DARTS_V2 = nb301.from_genotype(
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
TINY = SearchSettings(population=4, cycles=3, children=2)


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
    chosen = SearchSettings(**{"population": 3, "tournament": 1.0, "children": 2, **settings})
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
    objective = Objective(1.0, 1.0, 1e3)
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
    assert len(list(islice(stream, budget(settings)))) == len(seen) == evaluations


def test_the_default_budget_is_what_swap_nas_needs_on_average():
    assert budget(SearchSettings()) == 50 + 1000 * (5 + 2 * 0.5)
    assert {budget(replace(TINY, method=method)) for method in METHODS} == {4 + 3 * 3}


def test_swap_nas_climbs_where_random_search_cannot():
    """One good operation per edge: the sum over six edges has one best of 15,625 cells."""
    own = encoding("nb201")

    def best(method):
        settings = SearchSettings(method=method, population=20, evaluations=600)
        stream = search(own, lambda key: own.matrix(key).sum(), np.random.default_rng(1), settings)
        return max(candidate.fitness for candidate in islice(stream, 600))

    assert best("swap_nas") == best("regularised_evolution") == 24 > best("random")


def test_an_architecture_is_measured_once_and_saved_in_blocks():
    measured, saved = [], []

    def measure(key):
        measured.append(key)
        return Measurement(key, 100.0, 900, 0.1, "ok")

    known = {"z": Measurement("z", 50.0, 900, 0.1, "ok")}
    evaluate = Evaluator(measure, Objective(0.9, 0.9, 1e3), known, saved.append, block=2)
    values = [evaluate(key) for key in "azabac"]
    assert measured == ["a", "b", "c"]
    assert [[m.key for m in block] for block in saved] == [["a", "b"]]
    evaluate.flush()
    evaluate.flush()
    assert [[m.key for m in block] for block in saved] == [["a", "b"], ["c"]]
    assert values[0] == pytest.approx(np.log(100)) and values[1] == pytest.approx(np.log(50))


def test_theta_of_darts_counts_thousands():
    """The unit trap: μ = 0.9 means 900 parameters of the small network, not 0.9 million."""
    objective = objective_of("darts", "cifar10", 0.9, 0.9)
    at_centre = Measurement("x", 100.0, 900, 0.1, "ok")
    away = Measurement("x", 100.0, 1900, 0.1, "ok")
    assert objective.score(at_centre) == pytest.approx(100)
    assert objective.score(away) == pytest.approx(100 * np.exp(-1 / 0.9))
    far = Measurement("x", 100.0, 10**7, 0.1, "ok")
    assert objective.score(far) == 0 and objective.fitness(far) == pytest.approx(-1.11e8, rel=1e-3)
    assert objective_of("nb201", "cifar10", None, None) == Objective(1.5, 1.5, 1e6)
    assert objective_of("darts", "imagenet", None, None).mu == 25
    with pytest.raises(HarnessError, match="sigma"):
        objective_of("darts", "cifar10", 0.9, 0.0)


def test_sizes_of_darts_networks_are_the_published_ones():
    """3.349342 and 4.718752 million parameters are what DARTS's scripts print for DARTS_V2."""
    assert cifar10_size(DARTS_V2).params == 3_349_342
    assert imagenet_size(DARTS_V2).params == 4_718_752


@pytest.mark.parametrize(("stem", "side"), [("cifar", 16), ("imagenet", 64), ("none", 12)])
def test_multiply_accumulates_are_those_of_the_layers_that_run(stem, side):
    """The reference runs the network and multiplies the shapes that it sees."""
    skeleton = Skeleton(channels=4, layers=4, stem=stem)
    for key in spaces.get("darts").sample(5, seed=0):
        network = Network(nb301.parse(key), skeleton, 7)
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


def scorer(seed=0, **changes):
    plain = Scorer(
        "darts", "digits", InputSettings("digits"), SwapSettings(images=8), "cpu", True, 3, 1, seed
    )
    return replace(plain, **changes)


def test_a_score_depends_on_seed_and_key_alone():
    a, b = spaces.get("darts").sample(2, seed=0)
    first = scorer().measure(a).psi
    scorer().measure(b)
    assert scorer().measure(a).psi == first > 0
    assert {scorer(seed=s).measure(a).psi for s in range(3)} != {first}


def configured(tmp_path, **search_settings):
    own = {"population": 6, "cycles": 4, "children": 3, **search_settings}
    return from_mapping(
        {
            "job": "swap_nas",
            "space": "darts",
            "task": "digits",
            "results": str(tmp_path),
            "inputs": {"source": "digits"},
            "search": {**own, "images": 8},
        }
    )


def test_a_killed_search_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    """The second run measures only what the first did not, and every evaluation is the same."""
    whole = searches_of(configured(tmp_path / "whole"))[0]
    run_search(whole)
    killed = searches_of(configured(tmp_path / "killed"))[0]
    monkeypatch.setattr(Evaluator.__init__, "__defaults__", (4,))

    def stop(done, best, theta):
        if done == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_search(killed, stop)
    assert not killed.path.exists()
    before = set(killed.measurements().read().key)
    assert len(before) >= 8

    measured = []
    original = Scorer.measure
    monkeypatch.setattr(Scorer, "measure", lambda s, key: measured.append(key) or original(s, key))
    run_search(killed)
    assert measured and not before & set(measured)
    a, b = (pd.read_parquet(item.path).drop(columns="seconds") for item in (whole, killed))
    pd.testing.assert_frame_equal(a, b)


def test_searches_with_other_settings_are_other_files(tmp_path):
    base = searches_of(configured(tmp_path))[0]
    others = [
        searches_of(configured(tmp_path, **changed))[0]
        for changed in (
            *({"mu": 1.2}, {"method": "random"}, {"population": 7}, {"evaluations": 9}),
            *({"cell_mode": "separate", "layers": 3}, {"channels": 4}, {"crossover": 0.1}),
        )
    ]
    assert len({item.path for item in (base, *others)}) == 8
    assert others[0].protocol == base.protocol  # Ψ does not depend on μ, so it is shared
    assert base.name == "swap_nas" and others[0].name == "swap_nas_mu1.2"


def evaluated(keys, fitness, method="swap_nas", seed=0):
    table = pd.DataFrame({"key": keys, "fitness": fitness, "method": method, "seed": seed})
    table["evaluation"] = range(1, len(table) + 1)
    table["score"] = table["psi"] = np.exp(table.fitness)
    table["repeated"] = table.key.duplicated()
    return table.assign(theta=1.0, status="ok", seconds=2.0)


def test_true_accuracy_regret_and_rank_of_what_was_found():
    keys = spaces.get("nb201").sample(4, seed=0)
    truth = pd.DataFrame({"key": keys, "value": [90.0, 95.0, 93.0, 95.0]})
    rows = evaluated([keys[0], keys[2], keys[2], keys[0]], [1.0, 3.0, 3.0, 2.0])
    (found,) = found_table(rows, from_mapping({}), truth).to_dict("records")
    assert (found["key"], found["found_at"]) == (keys[2], 2)
    assert (found["truth"], found["regret"], found["rank"]) == (93.0, 2.0, 3)
    assert (found["evaluations"], found["distinct"], found["seconds"]) == (4, 2, 4.0)
    curve = trajectories(rows, truth)
    assert curve.best_truth.tolist() == [90.0, 93.0, 93.0, 93.0]
    assert curve.best_score.is_monotonic_increasing


@pytest.mark.mirror
def test_true_accuracies_of_nas_bench_201_are_looked_up():
    """The best cell of the table has regret 0 and rank 1."""
    config = from_mapping({"space": "nb201", "task": "cifar100"})
    truth = truth_of(config)
    best = truth.key[truth.value.idxmax()]
    (found,) = found_table(evaluated([best], [1.0]), config, truth).to_dict("records")
    assert (found["regret"], found["rank"]) == (0.0, 1)
    assert found["truth"] == truth.value.max() > 70


def test_a_comparison_pairs_the_seeds():
    """A constant lead of 1 over noisy seeds is certain, though the means overlap."""
    noise = np.random.default_rng(0).normal(0, 5, 8)
    rows = [
        {"method": method, "seed": seed, "truth": value + lead, "rank": 3, "evaluations": 9}
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


TINY_RUN = ("search.population=4", "search.cycles=2", "search.children=2", "search.images=8")


def test_the_command_line_searches_darts_and_says_what_it_found(tmp_path):
    own = ("job=swap_nas", "space=darts", "truth=default", "truth.path=null", "executor=local")
    assert call(tmp_path, *own, *TINY_RUN, "seed=0..1") == 0
    folder = tmp_path / "results/swap_nas/darts/digits/swap_nas"
    found = pd.read_csv(folder / "found.csv")
    assert found.seed.tolist() == [0, 1] and (found.evaluations == 4 + 2 * 3).all()
    assert found.genotype.str.startswith("Genotype(normal=[(").all()
    for file in ("evaluations.parquet", "run.json", "trajectory.svg", "cells/swap_nas_seed1.png"):
        assert (folder / file).stat().st_size > 0


def test_the_command_line_compares_methods(tmp_path):
    """The bundled truth holds a sample of the cells only, so that scores are compared."""
    own = ("job=compare_searches", "space=nb201", "truth=default", "truth.path=null")
    assert call(tmp_path, *own, *TINY_RUN, "seed=0..1", "executor=local") == 0
    table = pd.read_csv(tmp_path / "results/swap_nas/nb201/digits/comparison/comparison.csv")
    assert table.method.tolist() == list(METHODS)
    assert (table.measure == "score").all() and (table["mean"] > 0).all()


def test_the_command_line_refuses_what_cannot_be_searched(tmp_path, capfd):
    assert call(tmp_path, "job=swap_nas", "space=nb101", "task=cifar10") == 1
    assert "space to search" in capfd.readouterr().err
    assert call(tmp_path, "job=size_control", "space=nb201") == 1
    assert "add space=darts" in capfd.readouterr().err
