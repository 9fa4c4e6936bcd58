"""Matrices of architectures: what mutation and crossover may change, and that it is legal."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.search.swap_nas.encoded_spaces import encoding
from harness.spaces import nb101, nb301
from harness.spaces.space import spaces

ENCODINGS = {
    "darts": encoding("darts"),
    "darts-separate": encoding("darts", "separate"),
    "nb101": encoding("nb101"),
    "nb201": encoding("nb201"),
    "tnb101_micro": encoding("tnb101_micro"),
    "tnb101_macro": encoding("tnb101_macro"),
}
GRAPHS = ["darts", "darts-separate", "nb201", "tnb101_micro"]
seeds = st.integers(0, 10**6)
every = pytest.mark.parametrize("name", list(ENCODINGS))


def generator(seed):
    return np.random.default_rng(seed)


def changed_places(a, b):
    return [tuple(place) for place in np.argwhere(a != b).tolist()]


@every
@given(seed=seeds)
def test_matrices_and_keys_are_two_forms_of_one_architecture(name, seed):
    own = ENCODINGS[name]
    key = own.random(generator(seed))
    assert spaces.get(name.partition("-")[0]).canonical(key) == key
    assert own.key(own.matrix(key)) == key


@pytest.mark.parametrize("name", ["darts", "darts-separate"])
@given(seed=seeds)
def test_darts_cells_are_upper_triangular_with_two_inputs_per_node(name, seed):
    matrix = ENCODINGS[name].matrix(ENCODINGS[name].random(generator(seed)))
    for cell in matrix:
        assert not np.tril(cell).any()
        assert (cell > 0).sum(axis=0).tolist() == [0, 0, 2, 2, 2, 2]
        assert cell.max() <= 7


@pytest.mark.parametrize("name", GRAPHS)
@given(seed=seeds)
def test_an_operation_mutation_changes_one_operation_and_no_connection(name, seed):
    own, random = ENCODINGS[name], generator(seed)
    key = own.random(random)
    before, after = own.matrix(key), own.matrix(own.mutate_operation(key, random))
    assert len(changed_places(before, after)) == 1
    if name.startswith("darts"):
        assert ((before > 0) == (after > 0)).all()


@pytest.mark.parametrize("name", GRAPHS)
@given(seed=seeds)
def test_a_connectivity_mutation_moves_one_number_within_its_column(name, seed):
    own, random = ENCODINGS[name], generator(seed)
    key = own.random(random)
    before = own.matrix(key)
    if not own.connection_mutants(before):
        return
    after = own.matrix(own.mutate_connection(key, random))
    (cell_a, _, column_a), (cell_b, _, column_b) = changed_places(before, after)
    assert (cell_a, column_a) == (cell_b, column_b)
    assert sorted(before[cell_a, :, column_a]) == sorted(after[cell_a, :, column_a])


def test_the_number_of_mutants_of_a_darts_cell():
    """Eight edges × six other operations; nodes 3, 4, 5 have 1, 2, 3 free sources for two edges."""
    own = ENCODINGS["darts"]
    matrix = own.matrix(own.random(generator(0)))
    assert len(own.operation_mutants(matrix)) == 8 * 6
    assert len(own.connection_mutants(matrix)) == 2 * (0 + 1 + 2 + 3)


def test_where_no_connection_can_change_an_operation_does():
    own = ENCODINGS["nb201"]
    same = own.key(np.triu(np.full((1, 4, 4), 3), k=1))
    assert own.connection_mutants(own.matrix(same)) == []
    mutant = own.mutate_connection(same, generator(0))
    assert len(changed_places(own.matrix(same), own.matrix(mutant))) == 1


@every
@given(seed=seeds)
def test_mutants_are_other_architectures_of_the_space(name, seed):
    own, random = ENCODINGS[name], generator(seed)
    key = own.random(random)
    space = spaces.get(name.partition("-")[0])
    for mutate in (own.mutate_operation, own.mutate_connection):
        mutant = mutate(key, random)
        assert space.canonical(mutant) == mutant != key


@pytest.mark.parametrize("name", GRAPHS)
@given(seed=seeds)
def test_crossover_exchanges_one_whole_column(name, seed):
    own, random = ENCODINGS[name], generator(seed)
    a, b = own.random(random), own.random(random)
    first, second = (own.matrix(key) for key in own.crossover(a, b, random))
    a, b = own.matrix(a), own.matrix(b)
    places = {(cell, column) for cell, _, column in changed_places(a, first)}
    assert places == {(cell, column) for cell, _, column in changed_places(b, second)}
    assert len(places) == 1
    ((cell, column),) = places
    assert (first[cell, :, column] == b[cell, :, column]).all()
    assert (second[cell, :, column] == a[cell, :, column]).all()


@every
def test_equal_parents_have_no_other_children(name):
    own = ENCODINGS[name]
    key = own.random(generator(0))
    assert own.crossover(key, key, generator(1)) == (key, key)


@given(seed=seeds)
def test_macro_mutations_change_one_module_or_the_depth_by_one(seed):
    own, random = ENCODINGS["tnb101_macro"], generator(seed)
    key = own.random(random)
    digits, changed, resized = (
        k.split("-")[1]
        for k in (key, own.mutate_operation(key, random), own.mutate_connection(key, random))
    )
    assert len(changed) == len(digits)
    assert sum(a != b for a, b in zip(digits, changed, strict=True)) == 1
    long, short = sorted((digits, resized), key=len, reverse=True)
    assert short in {long[:i] + long[i + 1 :] for i in range(len(long))}


def test_random_architectures_are_uniform_over_a_small_space():
    """A chi-squared statistic over the 4,096 micro cells stays within five deviations."""
    own, random = ENCODINGS["tnb101_micro"], generator(0)
    drawn = [own.random(random) for _ in range(20 * 4096)]
    counts = np.unique(drawn, return_counts=True)[1]
    assert len(counts) == 4096
    statistic = ((counts - 20) ** 2 / 20).sum()
    assert abs(statistic - 4095) < 5 * np.sqrt(2 * 4095)


def test_tied_cells_are_one_cell_in_two_places():
    key = ENCODINGS["darts"].random(generator(3))
    normal, reduce = nb301.parse(key)
    assert normal == reduce
    sources = [source for _, source in normal]
    assert all(a < b for a, b in list(pairwise(sources))[::2])


def test_a_space_without_an_encoding_says_which_have_one():
    with pytest.raises(HarnessError, match="nb201"):
        encoding("nb301")


def nb101_cells(seed, count):
    own = ENCODINGS["nb101"]
    return [own.random(generator(seed + i)) for i in range(count)]


@given(seed=seeds)
def test_every_nb101_mutant_is_a_cell_of_the_benchmark(seed):
    own = ENCODINGS["nb101"]
    matrix = own.matrix(nb101_cells(seed, 1)[0])
    mutants = own.operation_mutants(matrix) + own.connection_mutants(matrix)
    assert len(mutants) > 5
    for mutant in mutants[:: max(1, len(mutants) // 8)]:
        assert spaces.get("nb101").index(own.key(mutant)) >= 0


@given(seed=seeds)
def test_an_nb101_operation_mutation_keeps_the_graph(seed):
    own, random = ENCODINGS["nb101"], generator(seed)
    key = own.random(random)
    before, after = map(nb101.parse, (key, own.mutate_operation(key, random)))
    operations = {tuple(sorted(one.operations)) for one in (before, after)}
    if len(before.operations) > 2:
        assert sum(map(sum, before.matrix)) == sum(map(sum, after.matrix))
        assert len(operations) == 2


def test_nb101_moves_lead_back():
    """Whatever a connection mutation makes of a small cell, another one unmakes it."""
    own = ENCODINGS["nb101"]
    start = spaces.get("nb101").benchmark_key("conv3x3~0|maxpool3x3~1|output~2")
    for mutant in own.connection_mutants(own.matrix(start)):
        back = own.connection_mutants(own.matrix(own.key(mutant)))
        if not np.array_equal(mutant, own.matrix(start)):
            assert start in {own.key(one) for one in back}, own.key(mutant)


def test_the_whole_of_nb101_can_be_reached_from_its_smallest_cell():
    """Breadth first, the cells of up to four vertices: 1, 7 and 91 of them with 2, 3 and 4."""
    own = ENCODINGS["nb101"]
    met, front = set(), {spaces.get("nb101").benchmark_key("output~0")}
    while front:
        met |= front
        matrices = [own.matrix(key) for key in front]
        mutants = [
            one for m in matrices for one in own.connection_mutants(m) + own.operation_mutants(m)
        ]
        small = [one for one in mutants if np.count_nonzero(one[0].diagonal()) <= 2]
        front = {own.key(one) for one in small} - met
    assert len(met) == 1 + 6 + 84
