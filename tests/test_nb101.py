"""NAS-Bench-101: the exact networks, keys, hashes and counts."""

import ast
import json
import os
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import call
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import measured, on_meta, parameters, vectors

from harness import api
from harness.core.errors import HarnessError
from harness.inputs.tasks import tasks
from harness.sources.fetch import fetch
from harness.spaces import nb101, nb101_cells, nb101_enumeration, nb101_table
from harness.spaces.networks.nb101_network import Nb101Cell

space = nb101.NasBench101()
CIFAR10 = tasks.get("cifar10")
VECTORS = vectors("nasbench101").get("vectors", [])
COUNTS = ("params", "macs", "relu_calls", "relu_units", "conv_calls", "output_shape")
EXAMPLE = "conv1x1~0|conv3x3~0|conv3x3~0|conv3x3~3|maxpool3x3~0|output~1245"
# Known facts of the benchmark: isomorphic cells whose sizes differ.
THREE_WAY = ("conv3x3~0|conv1x1~0|maxpool3x3~0|output~123", 2_040_231)
THREE_WAY_TWIN = ("maxpool3x3~0|conv1x1~0|conv3x3~0|output~123", 2_024_094)
keys = st.integers(0, 2**32).map(lambda seed: nb101.labelled_cell(np.random.default_rng(seed)))


def counted(key):
    return measured(on_meta(space.network, key, CIFAR10))


@pytest.mark.vectors
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["tag"])
def test_vector(vector):
    key = nb101.from_spec(vector["matrix"], vector["ops"])
    spec = nb101.parse(key)
    assert [list(row) for row in spec.matrix] == vector["pruned_matrix"]
    assert list(spec.operations) == vector["pruned_ops"]
    assert space.isomorphism_class(key) == vector["hash"]
    widths = [nb101.vertex_widths(spec, *c) for c in ((128, 128), (128, 256), (256, 512))]
    assert widths == vector["vertex_channels_by_stack"]
    work = counted(key)
    assert {name: getattr(work, name) for name in COUNTS} == {n: vector[n] for n in COUNTS}
    assert space.count_params(key, "cifar10") == vector["params"]


@pytest.mark.parametrize(
    ("key", "params"),
    [
        (EXAMPLE, 2_694_282),
        ("conv3x3~0|output~1", 10_177_674),
        ("output~0", 882_570),
        ("|".join(f"conv3x3~{i}" for i in range(5)) + "|output~05", 48_231_818),
        ("|".join(f"maxpool3x3~{i}" for i in range(5)) + "|output~05", 1_756_298),
        THREE_WAY,
        THREE_WAY_TWIN,
    ],
)
def test_published_sizes(key, params):
    assert (
        space.count_params(key, "cifar10")
        == parameters(on_meta(space.network, key, CIFAR10))
        == params
    )


def test_published_hash_and_isomorphs():
    assert space.isomorphism_class(EXAMPLE) == "28cfc7874f6d200472e1a9dcd8650aa0"
    assert space.isomorphism_class(THREE_WAY[0]) == space.isomorphism_class(THREE_WAY_TWIN[0])


@pytest.mark.parametrize(("vertices", "unique"), [(2, 1), (3, 6), (4, 84), (5, 2_441)])
def test_number_of_unique_cells(vertices, unique):
    """The benchmark has 1, 6, 84 and 2,441 unique cells of two to five vertices."""
    pairs = [(u, v) for v in range(vertices) for u in range(v)]
    hashes = set()
    for bits in product((0, 1), repeat=len(pairs)):
        edges = {pair for pair, bit in zip(pairs, bits, strict=True) if bit}
        matrix = tuple(
            tuple(int((u, v) in edges) for v in range(vertices)) for u in range(vertices)
        )
        plain = nb101_cells.Spec(matrix, ("input", *["maxpool3x3"] * (vertices - 2), "output"))
        if nb101_cells.prune(plain) != plain or nb101_cells.flaw(plain):
            continue
        for interior in product(nb101_cells.OPERATIONS, repeat=vertices - 2):
            hashes.add(
                nb101_cells.isomorphism_hash(
                    nb101_cells.Spec(matrix, ("input", *interior, "output"))
                )
            )
    assert len(hashes) == unique
    codes = [
        nb101_enumeration.encode(vertices, *cell)
        for cell in nb101_enumeration.labelled_graphs(vertices)
    ]
    assert len(codes) == unique
    specs = map(nb101_enumeration.decode, codes)
    assert {nb101_cells.isomorphism_hash(spec) for spec in specs} == hashes


def test_number_of_cells_with_six_vertices():
    assert sum(1 for _ in nb101_enumeration.labelled_graphs(6)) == 64_542 - 2_532


@pytest.mark.slow
def test_all_423_624_cells_in_the_order_of_their_hashes():
    cells = nb101_enumeration.cells_by_hash()
    assert len(cells) == 423_624
    assert list(cells) == sorted(cells)
    assert list(cells.values()) == nb101_table.codes().tolist()


@given(keys)
def test_key_round_trips(key):
    spec = nb101.parse(key)
    assert space.canonical(f" {key}\n") == key == nb101.from_spec(*spec)
    assert nb101.from_spec(np.array(spec.matrix), spec.operations) == key
    assert len(spec.operations) <= 7
    assert sum(map(sum, spec.matrix)) <= 9


@given(keys)
def test_numpy_matrices_do_not_change_the_hash(key):
    spec = nb101.parse(key)
    from_numpy = nb101_cells.checked(np.array(spec.matrix), spec.operations)
    assert nb101_cells.isomorphism_hash(from_numpy) == space.isomorphism_class(key)


@given(keys, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_relabelled_cells_share_their_hash(key, random):
    spec = nb101.parse(key)
    last = len(spec.operations) - 1
    orders = [
        order
        for middle in permutations(range(1, last))
        if all(
            (order := (0, *middle, last)).index(u) < order.index(v)
            for u in range(last)
            for v in spec.targets(u)
        )
    ]
    order = random.choice(orders)
    relabelled = nb101.from_spec(
        [[spec.matrix[u][v] for v in order] for u in order], [spec.operations[v] for v in order]
    )
    assert space.isomorphism_class(relabelled) == space.isomorphism_class(key)


@given(keys)
def test_naslib_form_with_and_without_padding(key):
    spec = nb101.parse(key)
    ids = {name: number for number, name in enumerate(nb101_cells.NASLIB_OPERATIONS)}
    plain = [*np.ravel(spec.matrix), *(ids[name] for name in spec.operations)]
    assert nb101.from_naslib(plain) == key
    small, gap = len(spec.operations), 7 - len(spec.operations)
    padded = np.zeros((7, 7), dtype=int)
    padded[:small, : small - 1] = np.array(spec.matrix)[:, :-1]
    padded[:small, -1] = np.array(spec.matrix)[:, -1]
    names = [*spec.operations[:-1], *["conv3x3-bn-relu"] * gap, "output"]
    assert nb101.from_naslib([*padded.ravel().tolist(), *(ids[name] for name in names)]) == key


def test_naslib_order_of_operations():
    """Ids as in NASLib: 0 input, 1 output, 2 pooling, 3 convolution 1×1, 4 convolution 3×3."""
    chain = np.eye(5, k=1, dtype=int)
    key = nb101.from_naslib([*chain.ravel(), 0, 2, 3, 4, 1])
    assert key == "maxpool3x3~0|conv1x1~1|conv3x3~2|output~3"


def test_pruning():
    matrix = np.zeros((7, 7), dtype=int)
    for edge in [(0, 2), (2, 6), (1, 6), (0, 4), (3, 5)]:
        matrix[edge] = 1
    operations = ["input", *["maxpool3x3", "conv1x1-bn-relu"] * 2, "maxpool3x3", "output"]
    assert nb101.from_spec(matrix, operations) == "conv1x1~0|output~1"
    assert space.canonical("maxpool3x3~0|conv3x3~|conv1x1~0|output~30") == "conv1x1~0|output~01"


def test_widths_of_uneven_splits():
    spec = nb101.parse("conv1x1~0|conv3x3~1|conv3x3~0|maxpool3x3~0|output~234")
    assert nb101.vertex_widths(spec, 256, 512) == [256, 171, 171, 171, 170, 512]
    spec = nb101.parse("conv1x1~0|maxpool3x3~01|conv3x3~1|conv1x1~2|output~134")
    assert nb101.vertex_widths(spec, 128, 128) == [128, 43, 42, 43, 42, 128]


@pytest.mark.parametrize("seed", range(6))
def test_cell_computes_its_graph(seed):
    """Sums before vertices, concatenation and residual at the output, from the definition."""
    spec = nb101.parse(space.sample(6, 1)[seed])
    torch.manual_seed(0)
    cell, x = Nb101Cell(spec, 8, 17).eval(), torch.randn(2, 8, 6, 6)
    last = len(spec.operations) - 1

    def value(vertex):
        total = torch.zeros(2, cell.widths[vertex], 6, 6)
        for source in spec.sources(vertex):
            if source == 0:
                total += cell.projections[str(vertex)](x)
            else:
                total += value(source)[:, : cell.widths[vertex]]
        return cell.operations[vertex - 1](total)

    parts = [value(vertex) for vertex in range(1, last) if spec.matrix[vertex][last]]
    expected = torch.cat(parts, dim=1) if parts else torch.zeros(2, 17, 6, 6)
    if spec.matrix[0][last]:
        expected = expected + cell.projections[str(last)](x)
    torch.testing.assert_close(cell(x), expected)


def test_closed_form_equals_the_built_network():
    for key in space.sample(12, 3):
        assert space.count_params(key, "cifar10") == parameters(
            on_meta(space.network, key, CIFAR10)
        )


def test_initial_weights():
    network = space.build("conv3x3~0|output~1", "cifar10")
    conv = network.cells[-1].operations[0][0].weight
    assert conv.std().item() == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.01)
    assert network.classifier.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not network.classifier.bias.any()


@pytest.mark.parametrize(("task", "size"), [("cifar10", 32), ("digits", 8)])
def test_forward_and_weights_of_a_seed(task, size):
    x = torch.randn(2, 3, size, size)
    first, again, other = (space.build(THREE_WAY[0], task, seed).train() for seed in (0, 0, 1))
    logits = first(x)
    assert logits.shape == (2, 10)
    assert torch.equal(logits, again(x))
    assert not torch.equal(logits, other(x))


def test_sampling():
    drawn = space.sample(300, 5)
    assert space.sample(100, 5) == drawn[:100] != space.sample(100, 6)
    assert len(set(drawn)) == 300
    assert [space.canonical(key) for key in drawn] == drawn
    unique = space.sample(300, 5, one_per_class=True)
    assert len({space.isomorphism_class(key) for key in unique}) == 300
    assert space.sample(50, 5, one_per_class=True) == unique[:50]
    assert len(space.sample(3000, 5, replace=True)) == 3000
    pool = drawn[:40]
    assert set(space.sample(40, 0, pool=pool)) == set(pool)
    with pytest.raises(HarnessError, match="lower n"):
        space.sample(41, 0, pool=pool)
    with pytest.raises(HarnessError, match="at least 1"):
        space.sample(0, 0)


def test_sampler_is_uniform_over_labelled_matrices():
    """Against brute force: draw unpruned cells with Python's own steps and compare sizes."""
    rng, sizes = np.random.default_rng(0), []
    while len(sizes) < 2000:
        matrix = np.triu(rng.integers(2, size=(7, 7)), 1)
        try:
            key = nb101.from_spec(matrix, ["input", *["maxpool3x3"] * 5, "output"])
        except HarnessError:
            continue
        sizes.append(key.count("|"))
    drawn = [key.count("|") for key in space.sample_labelled(2000, 0)]
    assert np.mean(drawn) == pytest.approx(np.mean(sizes), abs=5 * np.std(sizes) / 2000**0.5)
    names = "".join(space.sample_labelled(2000, 0))
    shares = np.array([names.count(f"{name}~") for name in ("conv3x3", "conv1x1", "maxpool3x3")])
    assert shares / shares.sum() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_all_cells_are_listed_by_hash():
    keys = space.keys()
    assert len(keys) == len(set(keys)) == 423_624
    hashes = [space.isomorphism_class(key) for key in keys[::5000]]
    assert hashes == sorted(hashes)
    assert space.listed().to_pylist() == sorted(keys)
    assert keys[::997] == [nb101_table.key_at(place) for place in range(0, len(keys), 997)]
    for key in keys[::5000]:
        assert space.canonical(key) == key == nb101.cell_of_hash(space.isomorphism_class(key))
    with pytest.raises(HarnessError, match="hash of no NAS-Bench-101 cell"):
        nb101.cell_of_hash("0" * 32)


@given(keys)
def test_another_spelling_leads_to_the_cell_that_was_trained(key):
    trained = space.benchmark_key(key)
    assert space.isomorphism_class(trained) == space.isomorphism_class(key)
    assert space.benchmark_key(trained) == trained


def test_uniform_draws_need_no_pool():
    """Of the 423,624 cells 84.8 % have seven vertices; labelled draws are pruned to far fewer."""
    drawn = space.sample(2000, 0)
    share = np.mean([key.count("|") == 5 for key in drawn])
    assert share == pytest.approx((423_624 - 64_542) / 423_624, abs=0.04)
    assert drawn == space.sample(2000, 0, pool=space.keys()[::-1])


@pytest.mark.mirror
def test_cells_are_spelled_as_the_benchmark_spells_them():
    """Against its own matrices of 1,000 cells and its own sizes of 30,001."""
    folder = fetch("nb101_validation_first").parent
    old = folder.parents[2] / "a6f5839685f73057a7bca277b9ee5e36276d0bdf" / "static" / "data"
    raw = json.loads((old / "data-1k.json").read_text())
    names = {-1: "input", -2: "output", **dict(enumerate(nb101_cells.OPERATIONS))}
    keys = space.keys()
    for place, (matrix, labels) in enumerate(zip(raw["adjacency"], raw["operations"], strict=True)):
        used = labels.index(-2) + 1
        rows = [row[:used] for row in matrix[:used]]
        assert nb101.from_spec(rows, [names[label] for label in labels[:used]]) == keys[place]
    first, later = (
        json.loads(fetch(f"nb101_validation_{part}").read_text())["trainable_parameters"]
        for part in ("first", "later")
    )
    sizes = dict(enumerate(first)) | dict(enumerate(later, 36_202))
    for place in list(sizes)[::11]:
        assert space.count_params(keys[place], "cifar10") == sizes[place]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "expected the form"),
        ("conv3x3~0|", "expected the form"),
        ("conv3x3|output~1", "expected the form"),
        ("conv3x3~0|output~1|", "expected the form"),
        ("conv3x3~٠|output~1", "expected the form"),
        ("conv3~0|output~1", "Did you mean"),
        ("conv3x3~0|conv1x1~1", "end with 'output'"),
        ("output~0|output~1", "Unknown NAS-Bench-101 operation"),
        ("conv3x3~1|output~1", "cannot be fed"),
        ("conv3x3~|output~1", "no path"),
        ("conv3x3~0|output~", "no path"),
        ("|".join(f"conv3x3~{i}" for i in range(6)) + "|output~6", "8 vertices"),
        ("conv3x3~0|conv3x3~01|conv3x3~012|conv3x3~0123|output~4", "11 edges"),
    ],
)
def test_malformed_keys(key, message):
    with pytest.raises(HarnessError, match=message):
        space.canonical(key)


@pytest.mark.parametrize(
    ("matrix", "operations", "message"),
    [
        ([[0, 1]], ["input", "output"], "square matrix"),
        ([[0, 1], [0]], ["input", "output"], "square matrix"),
        ([[0]], ["input"], "at least two vertices"),
        ([[0, 2], [0, 0]], ["input", "output"], "zeros and ones"),
        ([[0, 1], [1, 0]], ["input", "output"], "above its diagonal"),
        ([[0, 1], [0, 0]], ["output", "input"], "begin with"),
    ],
)
def test_malformed_specs(matrix, operations, message):
    with pytest.raises(HarnessError, match=message):
        nb101.from_spec(matrix, operations)


def test_malformed_naslib_form():
    with pytest.raises(HarnessError, match="expected 56"):
        nb101.from_naslib([0, 1, 0])
    with pytest.raises(HarnessError, match="expected 56"):
        nb101.from_naslib([])
    with pytest.raises(HarnessError, match="operation id"):
        nb101.from_naslib([0, 1, 0, 0, 0, 5])


@pytest.mark.mirror
def test_published_parameter_counts():
    """All 500 cells of the early NAS-Bench-Suite-Zero file have exactly the published size."""
    (file,) = Path(os.environ["HARNESS_MIRROR"]).rglob("zc_nasbench101.json")
    table = json.loads(file.read_text())["nasbench101"]["cifar10"]
    found = {raw: nb101.from_naslib(ast.literal_eval(raw)) for raw in table}
    for raw, key in found.items():
        assert space.count_params(key, "cifar10") == round(table[raw]["params"] * 1e6)
    assert len({space.isomorphism_class(key) for key in found.values()}) == 292


def test_labelled_draws_get_the_accuracy_of_their_cell(tmp_path):
    """Whatever their spelling; repeats stay."""
    asked = ["task=cifar10", "truth=default", "truth.path=null", "inputs=gaussian", "n=12"]
    asked += ["sample=labelled", "proxies=[params]", "executor=local"]
    assert call(tmp_path, "space=nb101", *asked) == 0
    scores = api.scores.of_study("nb101", "cifar10", results=tmp_path / "results")
    assert scores.key.tolist() == space.sample_labelled(12, 0)
    assert scores.key.nunique() < 12
    for row in scores.itertuples():
        assert row.truth == api.truth.value("nb101", "cifar10", row.key)
        assert row.value * 1e6 == pytest.approx(space.count_params(row.key, "cifar10"))
    assert call(tmp_path, "space=nb201", *asked) == 1
