"""The reference implementations on cases that can be worked out by hand: sizes and patterns."""

import csv
import math
import os
from pathlib import Path

import pytest
import torch
from references import networks
from references import proxies as reference
from references.handmade import Headed, linear
from torch import Tensor, nn

from harness.spaces import nb201
from harness.spaces.space import spaces

EVERY = sorted({**networks.ZOO, **networks.FORWARD_ONLY})

# Bits of the neurons (columns) for four images (rows): 3 distinct rows, 4 distinct columns.
BITS = [[1, 0, 1, 0, 1, 0], [1, 0, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0]]


def rectified(bits: list[list[int]]) -> tuple[nn.Module, Tensor]:
    images = torch.tensor(bits).float()[:, :, None, None] * 3 - 1
    return nn.Sequential(nn.ReLU(), nn.Flatten(), nn.ReLU()), images


FORWARD = (
    reference.params,
    reference.flops,
    reference.l2_norm,
    reference.nwot,
    reference.swap,
    reference.activation_patterns,
    reference.linear_regions,
    reference.meco,
)
BACKWARD = (
    reference.grad_norm,
    reference.snip,
    reference.plain,
    reference.grasp,
    reference.fisher,
    reference.gradsign,
    reference.jacov,
    reference.epe_nas,
    reference.ntk,
    reference.synflow,
)


@pytest.mark.parametrize("name", EVERY)
def test_nothing_is_disturbed_and_every_reference_repeats(name):
    network = {**networks.ZOO, **networks.FORWARD_ONLY}[name][0]()
    images, labels = networks.batch(name, 5, seed=1)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    kept = images.clone()
    for proxy in FORWARD + BACKWARD if name in networks.ZOO else FORWARD:
        first = proxy(network.eval(), images, labels)
        assert not network.training
        # Whatever mode the caller's network is in, the references choose their own.
        second = proxy(network.train(), images, labels)
        assert network.training
        assert isinstance(first, float)
        assert first == second or (math.isnan(first) and math.isnan(second)), proxy.__name__
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert torch.equal(images, kept)
    assert all(p.grad is None for p in network.parameters())


IN_PLACE = {
    "inplace_residual": (networks.InplaceResidual, "fisher snip grasp nwot swap jacov synflow"),
    "overwritten_relu": (networks.OverwrittenActivation, "nwot swap activation_patterns"),
}


@pytest.mark.parametrize(
    ("name", "proxy"), [(name, one) for name, (_, of) in IN_PLACE.items() for one in of.split()]
)
def test_in_place_operations_change_nothing(name, proxy):
    kind, images = IN_PLACE[name][0], networks.batch(name, 6, seed=0)
    inplace, outplace = kind(inplace=True), kind(inplace=False)
    outplace.load_state_dict(inplace.state_dict())
    values = [getattr(reference, proxy)(network, *images) for network in (inplace, outplace)]
    assert values[0] == values[1] != 0


# Sizes


def test_published_sizes():
    space = spaces.get("nb201")
    none = space.build(nb201.to_key(["none"] * 6), "cifar10")
    conv = space.build(nb201.to_key(["nor_conv_3x3"] * 6), "cifar10")
    images = torch.zeros(1, 3, 32, 32)
    assert reference.params(none, images) == 0.073306
    assert reference.params(conv, images) == 1.531546
    # Published as (3, 3, 3, 0, 1, 4) with the edges ordered by source.
    network = space.build(naslib_key((3, 3, 3, 0, 1, 4)), "cifar10")
    assert reference.params(network, images) == 0.157306
    assert reference.flops(network, images) == 22.320832


def naslib_key(ids: tuple[int, ...]) -> str:
    names = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
    edges = dict(zip(((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)), ids, strict=True))
    return nb201.to_key([names[edges[edge]] for edge in nb201.EDGES])


@pytest.mark.mirror
def test_sizes_of_the_published_table():
    (path,) = Path(os.environ["HARNESS_MIRROR"]).glob("**/nb201_zc_proxies.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for row in rows[:: len(rows) // 12]:
        ids = tuple(int(i) for i in row["net"].strip("()").split(","))
        network = spaces.get("nb201").build(row["net_str"], "cifar10")
        assert naslib_key(ids) == row["net_str"]
        assert reference.params(network, torch.zeros(1, 3, 32, 32)) == float(row["params"])
        assert reference.flops(network, torch.zeros(1, 3, 32, 32)) == float(row["flops"])


def test_flops_by_hand():
    network = nn.Sequential(
        nn.Conv2d(4, 6, 3, padding=1, groups=2),  # 9·4·3·64 + 6·64
        nn.BatchNorm2d(6, affine=False),  # 6·64
        nn.BatchNorm2d(6),  # 2·6·64
        nn.LeakyReLU(),  # 6·64
        nn.MaxPool2d(2),  # 4·6·16
        nn.AvgPool2d(3, stride=1, padding=1),  # 9·6·16
        nn.AdaptiveAvgPool2d(1),  # 25·6
        nn.Flatten(),
        nn.Linear(6, 5),  # 30
    )
    expected = 6912 + 384 + 384 + 768 + 384 + 384 + 864 + 150 + 30
    assert reference.flops(network, torch.zeros(2, 4, 8, 8)) == expected / 1e6


def test_flops_count_the_last_call_of_a_shared_module():
    conv = nn.Conv2d(1, 1, 1, bias=False)
    network = nn.Sequential(conv, nn.MaxPool2d(2), conv)
    images = torch.zeros(1, 1, 8, 8)
    assert reference.flops(network, images) == (16 + 4 * 16) / 1e6
    assert reference.params(network, images) == 1 / 1e6


def test_what_never_runs_has_no_size_but_a_norm():
    images, _ = networks.batch("dead_branch", 2, seed=0)
    network = networks.dead_branch()
    executed = sum(p.numel() for n, p in network.named_parameters() if "unused" not in n)
    assert reference.params(network, images) == executed / 1e6
    with_unused = reference.l2_norm(network)
    nn.init.zeros_(network.unused[0].weight)
    assert reference.l2_norm(network) < with_unused


def test_l2_norm_is_a_sum_of_norms_without_biases():
    network = nn.Sequential(linear([[3.0, 4.0]]), nn.BatchNorm1d(1), nn.Linear(1, 1))
    nn.init.constant_(network[2].weight, -2)
    assert reference.l2_norm(network) == 7


# Patterns


def test_patterns_by_hand():
    network, images = rectified(BITS)
    assert reference.swap(network, images) == 4
    assert reference.activation_patterns(network, images) == 3
    assert reference.linear_regions(network, images) == pytest.approx(3)
    assert reference.linear_regions(network, images, batch_size=2) == pytest.approx(3)
    # Two-dimensional ReLUs do not count.
    flat = nn.Sequential(nn.Flatten(), nn.ReLU())
    assert (reference.swap(flat, images), reference.activation_patterns(flat, images)) == (0, 1)


def test_nwot_counts_agreements_of_all_rectifiers():
    network, images = rectified([[1, 0, 1], [1, 1, 0]])
    # Two rectifiers of three neurons: six on the diagonal, two agreements beside it.
    assert reference.nwot(network, images) == pytest.approx(math.log(36 - 4))
    leaky = nn.Sequential(nn.LeakyReLU(), nn.Flatten())
    assert reference.nwot(leaky, images) == pytest.approx(math.log(9 - 1))
    assert reference.nwot(network, images[[0, 0]]) == -math.inf
    assert reference.nwot(nn.Flatten(), images) == -math.inf


def test_leaky_rectifiers_are_invisible_to_swap():
    images, _ = networks.batch("leaky_head", 6, seed=0)
    network = networks.leaky_head()
    assert reference.swap(network, images) == reference.swap(network[:3], images)
    assert reference.nwot(network, images) > reference.nwot(network[:3], images)


def test_regularised_swap():
    network, (_, images) = Headed(), rectified(BITS)
    assert reference.reg_swap(network, images, mu=1.0, sigma=1.0, unit=1000) == pytest.approx(4)
    one_off = reference.reg_swap(network, images, mu=2.0, sigma=0.5, unit=1000)
    assert one_off == pytest.approx(4 * math.exp(-2))
    assert reference.reg_swap(network, images, mu=1.0, sigma=1.0, unit=1) == 0
