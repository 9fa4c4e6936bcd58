"""SWAP's one-cell DARTS networks: the exact networks, keys and counts."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from vectors import measured, on_meta, parameters, vectors

from harness.core.errors import HarnessError
from harness.inputs.tasks import tasks
from harness.spaces import darts_swap
from harness.spaces.darts import Genotype
from harness.spaces.darts_skeleton import count_params

space = darts_swap.DartsSwap()
CIFAR10 = tasks.get("cifar10")
FILE = vectors("swap_darts")

cells = st.tuples(
    *(
        st.tuples(st.sampled_from(darts_swap.OPERATIONS), st.integers(0, 1 + position // 2))
        for position in range(8)
    )
)
FIRST = (
    "|none~0|dil_conv_5x5~0|+|sep_conv_5x5~0|sep_conv_3x3~1|"
    "+|sep_conv_3x3~1|dil_conv_5x5~2|+|sep_conv_5x5~3|skip_connect~4|"
)


def text_of(normal, reduce):
    return (
        f"Genotype(normal={list(normal)}, normal_concat=[2, 3, 4, 5], "
        f"reduce={list(reduce)}, reduce_concat=[2, 3, 4, 5])"
    )


@pytest.mark.vectors
@pytest.mark.parametrize("vector", FILE.get("vectors", []), ids=lambda vector: vector["row"])
def test_vector(vector):
    normal, reduce = (list(map(tuple, vector["genotype"][c])) for c in ("normal", "reduce"))
    key = darts_swap.from_genotype(text_of(normal, reduce))
    network = on_meta(space.network, key, CIFAR10)
    work, expected = measured(network), vector["cifar10"]
    assert space.count_params(key, "cifar10") == work.params == expected["params"]
    assert work.params / 1e3 == vector["theta_thousands"]
    assert work.macs == expected["macs"]
    assert work.relu_calls == expected["relu_calls"]
    assert work.relu_units == expected["relu_units"]
    assert work.conv_calls == expected["conv_calls"]
    assert [1, network.classifier.in_features] == expected["output_shape"]
    assert measured(network, size=3).relu_units == vector["relu_units_3x3"]
    assert measured(network, size=15).relu_units == vector["relu_units_15x15"]


@given(cells)
def test_key_round_trips(cell):
    key = darts_swap.to_key(cell)
    assert darts_swap.parse(key) == cell
    assert space.canonical(f" {key}\n") == key
    assert darts_swap.from_genotype(text_of(cell, cell)) == key


def test_key_form_and_size():
    """The first published network, of 1,906 parameters."""
    assert darts_swap.parse(FIRST)[1] == ("dil_conv_5x5", 0)
    assert space.canonical(FIRST) == FIRST
    assert space.count_params(FIRST, "cifar10") == 1906


def test_closed_form_equals_the_built_network():
    rng = np.random.default_rng(0)
    for _ in range(10):
        names = rng.choice(darts_swap.OPERATIONS, size=8).tolist()
        cell = [(name, int(rng.integers(2 + i // 2))) for i, name in enumerate(names)]
        key = darts_swap.to_key(cell)
        network = on_meta(space.network, key, CIFAR10)
        assert space.count_params(key, "cifar10") == parameters(network)


@pytest.mark.parametrize("size", [32, 15, 8, 3])
def test_forward_and_weights_of_a_seed(size):
    x = torch.randn(4, 3, size, size)
    key = FIRST.replace("dil_conv_5x5~0", "skip_connect~0")
    first, again, other = (space.build(key, "cifar10", seed).train() for seed in (0, 0, 1))
    logits = first(x)
    assert logits.shape == (4, 10)
    assert torch.equal(logits, again(x))
    assert not torch.equal(logits, other(x))


def test_reduction_by_factors_reads_every_second_pixel():
    """On odd images the shifted grid is padded with zeros; elsewhere it must not be."""
    network = space.build(FIRST.replace("dil_conv_5x5~0", "skip_connect~0"), "cifar10")
    reduce = network.cells[0].operations[1]
    x = torch.rand(1, 6, 8, 8)
    a, b = (
        torch.einsum("oc,nchw->nohw", conv.weight[:, :, 0, 0], grid)
        for conv, grid in (
            (reduce.conv_a, x[:, :, ::2, ::2]),
            (reduce.conv_b, x[:, :, 1::2, 1::2]),
        )
    )
    torch.testing.assert_close(reduce.eval()(x), reduce.norm(torch.cat([a, b], dim=1)))


def test_a_cell_of_none_ends_in_zeros():
    key = darts_swap.to_key([("none", 0)] * 8)
    network = space.build(key, "cifar10")
    logits = network(torch.randn(2, 3, 32, 32))
    assert torch.equal(logits, network.classifier.bias.expand(2, 10))
    logits.sum().backward()
    assert space.count_params(key, "cifar10") == 310


def mirrored(cell):
    return [(name, 1 - source if source < 2 else source) for name, source in cell]


@given(cells)
def test_inputs_and_their_order_do_not_matter(cell):
    key = darts_swap.to_key(cell)
    assert space.isomorphism_class(darts_swap.to_key(mirrored(cell))) == space.isomorphism_class(
        key
    )
    exchanged = [cell[i ^ 1] for i in range(8)]
    assert space.isomorphism_class(darts_swap.to_key(exchanged)) == space.isomorphism_class(key)


def test_mirrored_networks_agree():
    cell = darts_swap.parse(FIRST)
    twin = darts_swap.to_key(mirrored(cell))
    first, second = (space.build(key, "cifar10").eval() for key in (FIRST, twin))
    exchange = {"preprocess": "preprocess_before", "preprocess_before": "preprocess"}
    second.load_state_dict(
        {
            ".".join(exchange.get(part, part) for part in name.split(".")): value
            for name, value in first.state_dict().items()
        }
    )
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(first(x), second(x))


def test_different_wiring_is_another_class():
    keys = [FIRST, FIRST.replace("skip_connect~4", "skip_connect~3")]
    assert len({space.isomorphism_class(key) for key in keys}) == 2


def test_sampling_needs_a_pool():
    with pytest.raises(HarnessError, match="give a pool"):
        space.keys()
    with pytest.raises(HarnessError, match="give a pool"):
        space.sample(1, 0)
    pool = [FIRST.replace("~4", f"~{source}") for source in range(5)]
    assert sorted(space.sample(5, 0, pool=pool)) == pool
    assert space.sample(2, 0, pool=pool) == space.sample(5, 0, pool=pool[::-1])[:2]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "expected the form"),
        (FIRST[1:], "expected the form"),
        (FIRST + "+|none~0|none~0|", "expected the form"),
        (FIRST.replace("+", ""), "expected the form"),
        (FIRST.replace("~4", "~٤"), "expected the form"),
        (FIRST.replace("~4", "~5"), "from 0 to 4; got 5"),
        (FIRST.replace("skip_connect", "skip_conect"), "Did you mean 'skip_connect'"),
    ],
)
def test_malformed_keys(key, message):
    with pytest.raises(HarnessError, match=message):
        space.canonical(key)


def test_genotypes_with_two_cells():
    cell = darts_swap.parse(FIRST)
    with pytest.raises(HarnessError, match="normal and reduce differ"):
        darts_swap.from_genotype(text_of(cell, mirrored(cell)))


@pytest.mark.mirror
@pytest.mark.skipif(not FILE, reason="needs the vector files")
def test_published_networks():
    (file,) = Path(os.environ["HARNESS_MIRROR"]).rglob("DARTS_archs_CIFAR10.csv")
    with file.open() as lines:
        rows = [(darts_swap.from_genotype(text), float(value)) for text, value in csv.reader(lines)]
    keys, accuracies = zip(*rows, strict=True)
    sizes = [space.count_params(key, "cifar10") for key in keys]
    published = FILE["stats_1000"]
    assert len(set(keys)) == len(keys) == 1000
    assert (min(sizes), max(sizes)) == (published["params_min"], published["params_max"])
    assert np.mean(sizes) == pytest.approx(published["params_mean"])
    assert np.std(sizes) == pytest.approx(published["params_std"])
    assert sum("none" in key for key in keys) == published["rows_with_none"]
    rho = spearmanr(sizes, accuracies).statistic
    assert rho == pytest.approx(published["spearman_params_acc"])
    # SWAP-NAS's ImageNet sizes: the same cells with a thousand classes.
    imagenet = [
        count_params(Genotype(edges, edges), darts_swap.SKELETON, 1000)
        for edges in map(darts_swap.parse, keys)
    ]
    assert (min(imagenet), max(imagenet)) == (
        published["imagenet_params_min"],
        published["imagenet_params_max"],
    )
