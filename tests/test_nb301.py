"""NAS-Bench-301 and the DARTS networks: the exact networks, keys and counts."""

import ast
import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from vectors import measured, on_meta, parameters, vectors

from harness.core.errors import HarnessError
from harness.inputs.tasks import tasks
from harness.spaces import darts, nb301
from harness.spaces.darts import OPERATIONS, Genotype
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.networks.darts_network import DartsNetwork

space, suite_zero = nb301.NasBench301(), nb301.NasBench301("suite_zero")
with_head = nb301.NasBench301(auxiliary=True)
CIFAR10 = tasks.get("cifar10")
HEAD = 468_234
IMAGENET = Skeleton(48, 14, stem="imagenet")
FILE = vectors("darts_nb301")
COUNTS = ("params", "macs", "relu_calls", "relu_units", "conv_calls", "output_shape")

V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def uniform(operation):
    cell = ((operation, 0), (operation, 1)) * 4
    return Genotype(cell, cell)


@st.composite
def edges(draw):
    cell = []
    for node in range(4):
        sources = draw(st.permutations(range(2 + node)))[:2]
        cell += [(draw(st.sampled_from(OPERATIONS)), source) for source in sources]
    return tuple(cell)


genotypes = st.builds(Genotype, edges(), edges())


def from_vector(genotype):
    assert genotype["normal_concat"] == genotype["reduce_concat"] == [2, 3, 4, 5]
    return Genotype(
        tuple(map(tuple, genotype["normal"])),
        tuple(map(tuple, genotype["reduce"])),
    )


def check(network, vector):
    work = measured(network)
    assert {name: getattr(work, name) for name in COUNTS} == {n: vector[n] for n in COUNTS}


@pytest.mark.vectors
@pytest.mark.parametrize("vector", FILE.get("vectors", []), ids=lambda vector: vector["name"])
def test_vector(vector):
    genotype = from_vector(vector["genotype"])
    key = nb301.to_key(genotype)
    assert nb301.parse(key) == genotype
    expected = vector["nb301_C32_L8_noaux"]
    check(on_meta(space.network, key, CIFAR10), expected)
    assert space.count_params(key, "cifar10") == expected["params"]

    head = vector["nb301_C32_L8_aux"]
    assert parameters(on_meta(with_head.network, key, CIFAR10)) == head["params_total"]
    assert space.theta_params(key, "cifar10") == head["params_total"]
    assert with_head.count_params(key, "cifar10") == head["params_total"]
    plain = with_head.count_params(key, "cifar10", auxiliary=False)
    assert plain == head["params_without_auxiliary"]

    naslib = vector["nb301_C32_L8_affine_false_cell_ops_naslib_style"]["params"]
    assert parameters(on_meta(suite_zero.network, key, CIFAR10)) == naslib
    assert suite_zero.count_params(key, "cifar10") == naslib

    small = Skeleton(16, 8)
    check(on_meta(DartsNetwork, genotype, small, 10), vector["C16_L8_noaux"])
    assert count_params(genotype, small, 10) == vector["C16_L8_noaux"]["params"]
    large = vector["C36_L20_noaux"]["params"]
    assert count_params(genotype, Skeleton(36, 20), 10) == large
    assert count_params(genotype, IMAGENET, 1000) == vector["imagenet_C48_L14_noaux"]["params"]


@pytest.mark.vectors
@pytest.mark.parametrize(
    "vector",
    FILE.get("nas_bench_suite_zero_first10", []),
    ids=lambda vector: f"suite-{vector['nbsuitezero_index']}",
)
def test_suite_zero_vector(vector):
    key = vector["compact"]
    assert space.canonical(key) == key
    check(on_meta(space.network, key, CIFAR10), vector["eval_network_affine_true"])
    naslib = vector["params_naslib_style_affine_false"]
    assert suite_zero.count_params(key, "cifar10") == naslib
    assert parameters(on_meta(suite_zero.network, key, CIFAR10)) == naslib


@pytest.mark.parametrize(
    ("genotype", "nb301_size", "cifar_size", "imagenet_size"),
    [
        (nb301.parse(nb301.from_genotype(V2)), 919_722, 3_349_342, 4_718_752),
        (uniform("sep_conv_3x3"), 1_520_874, 4_701_718, 6_548_320),
        (uniform("skip_connect"), 559_338, 1_580_950, 2_800_480),
        (uniform("avg_pool_3x3"), 392_426, 1_370_134, 2_427_232),
    ],
    ids=["DARTS_V2", "sep_conv_3x3", "skip_connect", "avg_pool_3x3"],
)
def test_known_sizes(genotype, nb301_size, cifar_size, imagenet_size):
    """The DARTS paper prints 3.3 and 4.7 million for its second-order cell."""
    assert space.count_params(nb301.to_key(genotype), "cifar10") == nb301_size
    assert count_params(genotype, Skeleton(36, 20), 10) == cifar_size
    assert count_params(genotype, IMAGENET, 1000) == imagenet_size


@pytest.mark.parametrize(
    ("skeleton", "classes", "size"),
    [(Skeleton(36, 20), 10, 32), (IMAGENET, 1000, 224)],
    ids=["cifar", "imagenet"],
)
def test_evaluation_networks(skeleton, classes, size):
    genotype = nb301.parse(nb301.from_genotype(V2))
    work = measured(on_meta(DartsNetwork, genotype, skeleton, classes), size)
    assert work.params == count_params(genotype, skeleton, classes)
    assert work.output_shape == [1, classes]


def test_closed_form_equals_the_built_network():
    for key in space.sample(4, 7):
        for style in (space, suite_zero, with_head):
            network = on_meta(style.network, key, CIFAR10)
            assert style.count_params(key, "cifar10") == parameters(network)
        assert space.theta_params(key, "cifar10") == space.count_params(key, "cifar10") + HEAD


@given(genotypes)
def test_key_round_trips(genotype):
    key = nb301.to_key(genotype)
    assert nb301.parse(key) == genotype
    assert space.canonical(key) == key
    lists = str([list(cell) for cell in ast.literal_eval(key)])
    assert space.canonical(f" {lists} ".replace(", ", ",")) == key


@given(genotypes)
def test_printed_genotype(genotype):
    text = (
        f"Genotype(normal={list(genotype.normal)}, normal_concat=range(2, 6), "
        f"reduce={list(genotype.reduce)}, reduce_concat=[2, 3, 4, 5])"
    )
    assert nb301.from_genotype(text) == nb301.to_key(genotype)


def test_key_form():
    key = nb301.from_genotype(V2)
    assert key == (
        "(((0, 3), (1, 3), (0, 3), (1, 3), (1, 3), (0, 2), (0, 2), (2, 5)), "
        "((0, 0), (1, 0), (2, 2), (1, 0), (0, 0), (2, 2), (2, 2), (1, 0)))"
    )


def swap_pairs(items):
    return tuple(items[i ^ 1] for i in range(len(items)))


@given(genotypes)
def test_order_of_a_nodes_inputs_does_not_matter(genotype):
    swapped = Genotype(*map(swap_pairs, genotype))
    keys = [nb301.to_key(g) for g in (genotype, swapped)]
    assert keys[0] != keys[1]
    assert len({space.isomorphism_class(key) for key in keys}) == 1


def test_order_of_nodes_does_not_matter_but_wiring_does():
    a, b, c = ("sep_conv_3x3", 0), ("dil_conv_5x5", 1), ("max_pool_3x3", 0)
    first = (a, b, c, b, ("skip_connect", 2), a, ("skip_connect", 3), b)
    # Nodes 2 and 3 exchanged, and with them who feeds nodes 4 and 5.
    second = (c, b, a, b, ("skip_connect", 3), a, ("skip_connect", 2), b)
    other = (c, b, a, b, ("skip_connect", 2), a, ("skip_connect", 3), b)
    assert darts.cell_class(first) == darts.cell_class(second) != darts.cell_class(other)


@pytest.mark.parametrize("style", [space, suite_zero], ids=["original", "suite_zero"])
def test_isomorphic_networks_agree(style):
    """With the weights carried over, exchanged inputs of every node leave the logits alone."""
    key = space.sample(1, 3)[0]
    swapped = nb301.to_key(Genotype(*map(swap_pairs, nb301.parse(key))))
    first, second = (style.build(k, "digits").eval() for k in (key, swapped))

    def moved(name):
        before, mark, after = name.partition(".operations.")
        index, *rest = after.split(".")
        return f"{before}{mark}{'.'.join([str(int(index) ^ 1), *rest])}" if mark else name

    second.load_state_dict({moved(name): value for name, value in first.state_dict().items()})
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(first(x), second(x))


def test_suite_zero_style_has_no_affine_operations():
    network = on_meta(suite_zero.network, nb301.from_genotype(V2), CIFAR10)
    for cell in network.cells:
        norms = [m for m in cell.operations.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert norms
        assert not any(norm.affine for norm in norms)
        assert cell.preprocess[-1].affine


def test_auxiliary_head():
    key, x = nb301.from_genotype(V2), torch.randn(2, 3, 32, 32)
    network = with_head.build(key, "cifar10")
    logits, auxiliary = network.forward_with_auxiliary(x)
    assert logits.shape == auxiliary.shape == (2, 10)
    assert torch.equal(logits, network(x))
    assert (
        measured(on_meta(with_head.network, key, CIFAR10)).relu_calls
        == measured(on_meta(space.network, key, CIFAR10)).relu_calls
    )
    with pytest.raises(HarnessError, match="32×32"):
        with_head.build(key, "digits")
    with pytest.raises(HarnessError, match="auxiliary head"):
        Skeleton(3, 1, stem="none", auxiliary=True)
    with pytest.raises(HarnessError, match="suite_zero"):
        nb301.NasBench301("naslib")


def test_forward_and_weights_of_a_seed():
    key, x = nb301.from_genotype(V2), torch.randn(2, 3, 8, 8)
    first, again, other = (space.build(key, "digits", seed).train() for seed in (0, 0, 1))
    logits = first(x)
    assert logits.shape == (2, 10)
    assert torch.equal(logits, again(x))
    assert not torch.equal(logits, other(x))


def test_sampling():
    drawn = space.sample(500, 5)
    assert space.sample(100, 5) == drawn[:100] != space.sample(100, 6)
    assert len(set(drawn)) == 500
    assert [space.canonical(key) for key in drawn] == drawn
    assert sorted(space.sample(20, 0, pool=drawn[:20])) == sorted(drawn[:20])
    with pytest.raises(HarnessError, match="cannot be listed"):
        space.keys()


def test_sampler_is_uniform_and_unsorted():
    keys = [ast.literal_eval(key) for key in space.sample(2000, 0)]
    pairs = np.array(keys)  # 2000 × cell × edge × (source, operation)
    shares = np.bincount(pairs[..., 1].ravel(), minlength=7) / pairs[..., 1].size
    assert shares == pytest.approx([1 / 7] * 7, abs=0.01)
    for node, (first, second) in enumerate(pairwise(range(0, 9, 2))):
        sources = pairs[:, :, first:second, 0].reshape(-1, 2)
        ordered = np.bincount(sources[:, 0] * 5 + sources[:, 1], minlength=25).reshape(5, 5)
        possible = (2 + node) * (1 + node)
        assert np.count_nonzero(ordered) == possible
        assert ordered[ordered > 0] / len(sources) == pytest.approx(
            [1 / possible] * possible, abs=0.03
        )


CELL = "((0, 3), (1, 3), (0, 3), (1, 3), (1, 3), (0, 2), (0, 2), (2, 5))"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "expected the form"),
        ("nonsense", "expected the form"),
        ("__import__('os')", "expected the form"),
        ("(" * 5000, "expected the form"),
        ("7", "expected the form"),
        (f"({CELL},)", "expected the form"),
        (f"({CELL}, {CELL}, {CELL})", "expected the form"),
        (f"({CELL}, ((0, 3), (1, 3)))", "two per node"),
        (f"({CELL}, {CELL.replace('(2, 5)', '(2, 7)')})", "Unknown DARTS operation '7'"),
        (f"({CELL}, {CELL.replace('(2, 5)', '(2, -1)')})", "Unknown DARTS operation '-1'"),
        (f"({CELL}, {CELL.replace('(2, 5)', '(5, 5)')})", "from 0 to 4; got 5"),
        (f"({CELL}, {CELL.replace('(2, 5)', '(-1, 5)')})", "from 0 to 4; got -1"),
        (f"({CELL}, {CELL.replace('(2, 5)', '(True, 5)')})", "got True"),
        (f"({CELL}, {CELL.replace('(2, 5)', '(0, 5)')})", "two different inputs"),
    ],
)
def test_malformed_keys(key, message):
    with pytest.raises(HarnessError, match=message):
        space.canonical(key)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "not a DARTS genotype"),
        (V2.replace("Genotype", "print"), "not a DARTS genotype"),
        (V2.replace("normal_concat=[2, 3, 4, 5]", "normal_concat=[4, 5]"), "not a DARTS genotype"),
        (V2.replace("reduce=", "reduced="), "not a DARTS genotype"),
        (V2.replace("('dil_conv_3x3', 2)", "open('x')"), "not a DARTS genotype"),
        (V2.replace("dil_conv_3x3", "none"), "Unknown DARTS operation 'none'"),
        (V2.replace(", ('dil_conv_3x3', 2)", ""), "two per node"),
    ],
)
def test_malformed_genotypes(text, message):
    with pytest.raises(HarnessError, match=message):
        nb301.from_genotype(text)


@pytest.mark.mirror
def test_published_parameter_counts():
    """Both early NAS-Bench-Suite-Zero files print exactly the sizes of our suite_zero style."""
    checked = 0
    for file in Path(os.environ["HARNESS_MIRROR"]).rglob("zc_nasbench301.json"):
        table = json.loads(file.read_text())
        for raw, row in table.get("nasbench301", table)["cifar10"].items():
            size = row["params"]["score"] if isinstance(row["params"], dict) else row["params"]
            assert suite_zero.count_params(space.canonical(raw), "cifar10") == round(size * 1e6)
            checked += 1
    assert checked == 1225


def test_sampling_ends_when_nothing_new_comes(monkeypatch):
    key = space.sample(1, 0)[0]
    monkeypatch.setattr(nb301.NasBench301, "draw", lambda self, random: key)
    with pytest.raises(HarnessError, match="nothing new after 1"):
        space.sample(2, 0)
    assert space.sample(2, 0, replace=True) == [key] * 2
