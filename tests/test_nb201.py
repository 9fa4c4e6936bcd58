"""NAS-Bench-201: keys, exact networks and counts."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from vectors import measured, on_meta, parameters, vectors

from harness.core.errors import HarnessError
from harness.spaces import nb201
from harness.spaces.networks.nb201_network import Nb201Cell
from harness.spaces.space import spaces

SPACE = spaces.get("nb201")
OPERATIONS = st.tuples(*[st.sampled_from(nb201.OPERATIONS)] * 6)
ALL_3X3 = nb201.to_key(["nor_conv_3x3"] * 6)
VECTORS = vectors("nasbench201")


@given(OPERATIONS)
def test_key_round_trip(operations):
    key = nb201.to_key(operations)
    assert nb201.parse(key) == operations
    assert SPACE.canonical(f" {key}\n") == key


@pytest.mark.vectors
@pytest.mark.parametrize("vector", VECTORS.get("vectors", []), ids=lambda v: v["arch"])
@pytest.mark.parametrize("task", ["cifar10", "cifar100", "imagenet16_120"])
def test_every_vector(vector, task):
    key, expected = vector["arch"], dict(vector.get(task, {}))
    network = on_meta(SPACE.network, key, SPACE.task(task))
    work = measured(network, size=SPACE.task(task).input_shape[-1])
    assert SPACE.count_params(key, task) == work.params
    assert expected.items() <= vars(work).items()
    assert SPACE.isomorphism_class(key) == vector["unique_str_zero"]


@given(OPERATIONS, st.sampled_from(SPACE.tasks))
def test_closed_form_count_equals_the_built_network(operations, task):
    key = nb201.to_key(operations)
    network = on_meta(SPACE.network, key, SPACE.task(task))
    assert parameters(network) == SPACE.count_params(key, task)


def test_the_space_holds_15625_architectures_6466_functions_and_341_dead_cells():
    keys = SPACE.keys()
    assert len(set(keys)) == len(keys) == 15_625
    assert len({SPACE.isomorphism_class(key) for key in keys}) == 6_466
    assert sum(not SPACE.cells(key)[0].depends_on_input for key in keys) == 341


def literal_cell(cell, operations, x):
    """The benchmark's definition, edge by edge, with ``none`` as multiplication by zero."""
    nodes = [x]
    for target in (1, 2, 3):
        terms = []
        for (source, to), operation in zip(nb201.EDGES, operations, strict=True):
            if to == target and operation == "none":
                terms.append(nodes[source] * 0.0)
            elif to == target:
                terms.append(cell.edges[f"{source}->{to}"](nodes[source]))
        nodes.append(torch.stack(terms).sum(0))
    return nodes[3]


@given(OPERATIONS)
def test_cell_forward_is_the_literal_definition(operations):
    torch.manual_seed(0)
    cell = Nb201Cell(operations, channels=4).double()
    x = torch.randn(2, 4, 5, 5, dtype=torch.float64)
    torch.testing.assert_close(cell(x), literal_cell(cell, operations, x))


def test_isomorphic_cells_compute_the_same_function():
    x = torch.randn(4, 3, 8, 8)
    direct = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"
    through_1 = "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    assert SPACE.isomorphism_class(through_1) == SPACE.isomorphism_class(direct)
    networks = []
    for key in (through_1, direct):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            networks.append(SPACE.network(key, SPACE.task("digits")))
    torch.testing.assert_close(networks[0](x), networks[1](x))


def test_weights_depend_on_seed_and_key_alone():
    first = SPACE.build(ALL_3X3, "digits", seed=1)
    torch.manual_seed(99)
    nn.Linear(7, 7)
    again, other = (SPACE.build(ALL_3X3, "digits", seed) for seed in (1, 2))
    assert torch.equal(first.classifier.weight, again.classifier.weight)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)


def test_building_does_not_move_the_global_generator():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    SPACE.build(ALL_3X3, "digits", seed=1)
    assert torch.equal(torch.rand(1), expected)


@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 9), st.booleans())
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(n, more, seed, replace):
    small = SPACE.sample(n, seed, replace=replace)
    assert SPACE.sample(n + more, seed, replace=replace)[:n] == small
    assert replace or len(set(small)) == n


def test_sampling_is_uniform_over_operations():
    sample = SPACE.sample(15_000, seed=0, replace=True)
    share = sum(nb201.parse(key)[2] == "none" for key in sample) / len(sample)
    assert abs(share - 0.2) < 4 * (0.2 * 0.8 / len(sample)) ** 0.5


def test_a_pool_is_drawn_from_whatever_its_order():
    pool = list(SPACE.keys()[:50])
    assert SPACE.sample(20, 0, pool=pool) == SPACE.sample(20, 0, pool=pool[::-1])
    assert set(SPACE.sample(50, 3, pool=pool)) == set(pool)


def test_one_per_class_keeps_the_first_drawn():
    sample = SPACE.sample(2_000, 0, one_per_class=True)
    classes = [SPACE.isomorphism_class(key) for key in sample]
    assert len(set(classes)) == 2_000
    plain = SPACE.sample(15_625, 0)
    firsts = {}
    for key in plain:
        firsts.setdefault(SPACE.isomorphism_class(key), key)
    assert sample == list(firsts.values())[:2_000]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "is not a NAS-Bench-201 architecture"),
        ("|nor_conv_3x3~0|", "expected the form"),
        (ALL_3X3.replace("~2", "~1"), "is not a NAS-Bench-201 architecture"),
        (ALL_3X3.replace("nor_conv_3x3~2", "nor_conv_5x5~2"), "Did you mean 'nor_conv_3x3'"),
    ],
)
def test_malformed_keys(key, message):
    with pytest.raises(HarnessError, match=message):
        SPACE.canonical(key)


def test_bad_samples_and_tasks():
    with pytest.raises(HarnessError, match="at least 1"):
        SPACE.sample(0, 0)
    with pytest.raises(HarnessError, match="only 15625 can be drawn"):
        SPACE.sample(15_626, 0)
    with pytest.raises(HarnessError, match="Did you mean 'cifar100'"):
        SPACE.build(ALL_3X3, "cifar_100")
