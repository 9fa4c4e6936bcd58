"""NATS-Bench's size space: networks, keys and counts, and the truth of the official format."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_official_nb201 import SEEDS, accuracy, results
from torch import Tensor, nn
from torch.nn import functional
from vectors import on_meta, parameters

from harness import api, truth
from harness.core.errors import DataError, HarnessError
from harness.inputs.tasks import tasks
from harness.spaces import nats_sss, nb201
from harness.spaces.space import spaces
from harness.truth import nats_sss_truth, nb201_truth, records

SPACE = spaces.get("nats_sss")
WIDTHS = st.tuples(*[st.sampled_from(range(8, 65, 8))] * 5)
KEYS = ["8:8:8:8:8", "64:8:16:64:24", "40:40:40:40:40"]


def key_of(widths):
    return ":".join(map(str, widths))


# Keys.


@given(WIDTHS)
def test_index_and_back(widths):
    # The benchmark counts like an odometer of eight digits.
    index = int("".join(str(width // 8 - 1) for width in widths), base=8)
    key = key_of(widths)
    assert SPACE.key_at(index) == key == SPACE.canonical(f" {key} ")
    assert SPACE.index(key) == index
    assert SPACE.canonical(f"{index:06d}") == key  # as NATS-Bench's files


def test_there_are_as_many_as_published():
    assert len(set(SPACE.keys())) == 32_768
    assert sorted(SPACE.numbered()) == list(SPACE.keys())
    assert SPACE.sample(50, seed=1) == SPACE.sample(80, seed=1)[:50]


@pytest.mark.parametrize(
    "key", ["", "8:8:8:8", "8:8:8:8:8:8", "8:8:8:8:9", "8:8:8:8:72", "08:8:8:8:8", "32768", "-1"]
)
def test_malformed_keys_are_explained(key):
    with pytest.raises(HarnessError, match=r"form 8:16:24:32:40, or the index, .* 0 to 32767"):
        SPACE.canonical(key)


# Networks.


@given(WIDTHS, st.sampled_from(SPACE.tasks))
def test_counts_equal_built_networks(widths, task):
    key = key_of(widths)
    built = on_meta(SPACE.network, key, tasks.get(task))
    assert SPACE.count_params(key, task) == parameters(built)


def test_a_network_of_equal_widths_has_cells_of_nas_bench_201():
    """Five convolutions and a skip: what NAS-Bench-201's formula counts for one cell per stage."""
    cell = "+".join(["|nor_conv_3x3~0|", "|nor_conv_3x3~0|nor_conv_3x3~1|", "|skip_connect~0|"])
    assert tuple(nats_sss.OPERATIONS) == nb201.parse(f"{cell}nor_conv_3x3~1|nor_conv_3x3~2|")
    c, classes = 16, 10
    conv = 9 * c * c + 2 * c
    expected = (27 * c + 2 * c) + 3 * 5 * conv + 2 * (2 * conv + c * c) + 2 * c + (c + 1) * classes
    assert SPACE.count_params("16:16:16:16:16", "cifar10") == expected


def bn(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    x = (x - mean[:, None, None]) / torch.sqrt(variance + 1e-5)[:, None, None]
    return x * norm.weight[:, None, None] + norm.bias[:, None, None]


def conv_bn(x: Tensor, parts: nn.Sequential, stride: int = 1) -> Tensor:
    """Of the last two of the parts; a ReLU before them is one of the parts."""
    *relu, conv, norm = parts
    x = x.clamp(min=0) if relu else x
    return bn(
        functional.conv2d(x, conv.weight, stride=stride, padding=conv.kernel_size[0] // 2), norm
    )


def literal(network: nn.Module, x: Tensor) -> Tensor:
    x = conv_bn(x, network.stem)
    for place, layer in enumerate(network.cells):
        if place % 2:
            left = conv_bn(conv_bn(x, layer.conv_a, stride=2), layer.conv_b)
            x = left + functional.conv2d(functional.avg_pool2d(x, 2), layer.shortcut[1].weight)
            continue
        edges = layer.edges
        first = conv_bn(x, edges["0->1"])
        second = conv_bn(x, edges["0->2"]) + conv_bn(first, edges["1->2"])
        skip = x if isinstance(edges["0->3"], nn.Identity) else conv_bn(x, edges["0->3"])
        x = skip + conv_bn(first, edges["1->3"]) + conv_bn(second, edges["2->3"])
    x = bn(x, network.head[0]).clamp(min=0).mean((2, 3))
    return x @ network.classifier.weight.T + network.classifier.bias


@pytest.mark.parametrize("key", ["8:8:8:8:8", "16:8:24:24:8"])
def test_forwards_equal_the_literal_definition(key):
    network = SPACE.build(key, "cifar10", seed=2).double().train()
    images = torch.randn(4, 3, 16, 16, dtype=torch.float64)
    widths = SPACE.canonical(key).split(":")
    changes = [a != b for a, b in pairwise(widths)][1::2]  # within the second and third cell
    skips = [cell.edges["0->3"] for cell in network.cells[::2]]
    assert [isinstance(skip, nn.Sequential) for skip in skips] == [False, *changes]
    torch.testing.assert_close(network(images), literal(network, images))


def test_every_proxy_has_a_value_or_a_reason():
    network = SPACE.build("8:16:8:16:24", "cifar10")
    batch = api.Batch(torch.randn(4, 3, 32, 32), torch.arange(4), second=None)
    scores = api.score(
        network, batch, ["swap", "nwot", "snip", "synflow", "meco", "az_expressivity"]
    )
    assert {score.status for score in scores.values()} == {"ok"}


# Ground truth of the official format, written by the benchmark's own classes.


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    """The folder and the file of the size space, with three architectures."""
    package = pytest.importorskip("nats_bench", reason="the extra official is not installed")
    root = tmp_path_factory.mktemp("nats")
    folder = root / "NATS-sss-v1_0-50262-simple"
    folder.mkdir()
    infos = {i: {hp: results(package, i, int(hp), KEYS) for hp in ("12", "90")} for i in range(3)}
    for arch, runs in infos.items():
        package.pickle_save(runs, folder / f"{arch:06d}.pickle")
    package.pickle_save({"meta_archs": KEYS}, folder / "meta.pickle")
    whole = {"meta_archs": KEYS, "arch2infos": infos, "evaluated_indexes": {0, 1, 2}}
    package.pickle_save(whole, root / "NATS-sss-v1_0-50262.pickle")
    return folder, root / "NATS-sss-v1_0-50262.pickle.pbz2"


@pytest.mark.parametrize("form", [0, 1], ids=["folder", "file"])
def test_means_over_seeds_at_the_end_of_90_epochs(nats, form):
    table = nats_sss_truth.read(nats[form])
    assert len(table) == 3 * 6
    for (task, split), (dataset, images) in nb201_truth.SETS.items():
        rows = nb201_truth.of_task(table, task, split).set_index("key")
        for arch, key in enumerate(KEYS):
            runs = [accuracy(arch, dataset, images, seed, 89) for seed in SEEDS[: arch + 1]]
            assert rows.loc[key].value == pytest.approx(np.mean(runs))
            assert rows.loc[key].n_training_seeds == arch + 1


def test_it_agrees_with_what_the_package_answers(nats):
    import nats_bench

    answers = nats_bench.create(str(nats[0]), "sss", fast_mode=True, verbose=False)
    rows = nb201_truth.of_task(nats_sss_truth.read(nats[0]), "cifar100", "test").set_index("key")
    for index, key in enumerate(KEYS):
        answer = answers.get_more_info(index, "cifar100", hp="90", is_random=False)
        assert rows.value[key] == pytest.approx(answer["test-accuracy"])


def test_a_copy_is_read_only_where_it_is_named(nats, tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    assert truth.variants("nats_sss", "cifar10") == ["nats", "nats_validation", "csv"]
    with pytest.raises(
        DataError, match=r"No checksum of nats_sss .*D-X-Y/NATS-Bench.*truth\.path="
    ):
        truth.load("nats_sss", "cifar10")
    with pytest.raises(DataError, match="3 architectures where 32,768 are expected"):
        truth.load("nats_sss", "cifar10", "nats", path=str(nats[0]))
    record = records.get("nats_sss", "cifar100", "nats_validation")
    three = replace(record, info=replace(record.info, n=3))
    monkeypatch.setattr(records, "get", lambda *_: three)
    table = truth.load("nats_sss", "cifar100", "nats_validation", path=str(nats[1]))
    assert list(table.key) == sorted(KEYS)
    assert table.attrs["epochs"] == 90


def test_the_topology_space_is_no_size_space(nats, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no results of NATS-Bench"):
        nats_sss_truth.read(tmp_path / "empty")
    with pytest.raises(DataError, match="does not hold results of NATS-Bench"):
        nb201_truth.read_nats(nats[0])  # whose trainings have 200 epochs
