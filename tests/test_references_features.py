"""The reference implementations that run on noise or look at features, by hand."""

import math

import numpy as np
import pytest
import torch
from references import networks
from references import proxies as reference
from references.handmade import conv1x1, linear
from torch import Tensor, nn

from harness.spaces import nb201
from harness.spaces.space import spaces

# Ones and noise


def test_synflow_of_a_linear_network_is_the_flow_once_per_layer():
    first, second = linear([[1.0, -2.0], [0.0, 3.0]]), linear([[-1.0, 4.0]])
    bn = nn.BatchNorm1d(2)
    nn.init.constant_(bn.weight, 7)
    network = nn.Sequential(first, bn, nn.ReLU(), second)
    # |W2| |W1| 1 = 1·3 + 4·3, and each of the two layers carries all of it.
    expected = 2 * 15
    assert reference.synflow(network, torch.randn(3, 2)) == pytest.approx(math.log(expected))
    assert reference.synflow(network, torch.randn(3, 2), log=False) == pytest.approx(expected)
    second.bias = nn.Parameter(torch.tensor([-5.0]))
    assert reference.synflow(network, torch.randn(3, 2), log=False) == pytest.approx(expected)
    first.bias = nn.Parameter(
        torch.tensor([-5.0, 0.0])
    )  # adds 1·5 to what the second layer carries
    assert reference.synflow(network, torch.randn(3, 2), log=False) == pytest.approx(expected + 5)


def test_a_dead_cell_is_zero_or_undefined():
    images, labels = networks.batch("nb201_dead", 6, seed=0)
    network = networks.nb201_dead()
    for name in ("synflow", "grad_norm", "snip", "grasp", "plain"):
        assert getattr(reference, name)(network, images, labels) == 0, name
    assert 0 < reference.fisher(network, images, labels) < 1e-2
    assert math.isnan(reference.jacov(network, images))
    assert math.isnan(reference.epe_nas(network, images, labels))
    noise = torch.randn_like(images), torch.randn_like(images)
    assert reference.zen(network, *noise, reference.zen_state(network, 0)) == -math.inf


def test_zen_by_hand():
    network = nn.Sequential(
        nn.AdaptiveAvgPool2d(4),  # changes nothing here, and is not the global pooling
        conv1x1([[1.0]]),
        nn.BatchNorm2d(1),
        nn.AdaptiveAvgPool2d(1),
    )
    state = reference.zen_state(network, seed=0)
    weight = float(state["1.weight"])
    x1, x2 = torch.randn(2, 3, 1, 4, 4, dtype=torch.float64).unbind()
    x3 = x1 + 0.01 * x2
    normal = [(x - x.mean()) / (x.var(unbiased=False) + 1e-5 / weight**2).sqrt() for x in (x1, x3)]
    running = 0.81 + weight**2 * (0.09 * x1.var() + 0.1 * x3.var())
    distance = (normal[0] - normal[1]).abs().sum((1, 2, 3)).mean()
    expected = math.log(distance) + 0.5 * math.log(running)
    assert reference.zen(network, x1, x2, state, double=True) == pytest.approx(expected)
    # Tapped before the batch norm, f is linear: the difference is γ·w·x₂.
    expected = math.log(0.01 * abs(weight) * x2.abs().sum((1, 2, 3)).mean()) + 0.5 * math.log(
        running
    )
    assert reference.zen(network, x1, x2, state, tap="2", double=True) == pytest.approx(expected)


def test_zen_state_is_a_fresh_draw():
    network = networks.plain_cnn()
    state, again = reference.zen_state(network, 1), reference.zen_state(networks.plain_cnn(), 1)
    assert all(torch.equal(value, again[name]) for name, value in state.items())
    assert not torch.equal(state["0.weight"], reference.zen_state(network, 2)["0.weight"])
    assert float(state["7.weight"].std()) == pytest.approx(1, abs=0.4)
    assert float(state["7.bias"].abs().sum()) == float(state["4.1.bias"].abs().sum()) == 0
    assert bool((state["1.weight"] == 1).all()) and bool((state["1.running_var"] == 1).all())


# Spectra of features


def test_meco_by_hand():
    orthogonal = torch.tensor([[1.0, -1, 1, -1], [1, 1, -1, -1]]).reshape(1, 2, 2, 2)
    nested = nn.Sequential(nn.Sequential(nn.Identity()))
    # The identity, its container and the whole network: each has the least eigenvalue 1.
    assert reference.meco(nested, orthogonal) == pytest.approx(3)
    assert reference.meco(nested, orthogonal[:, [0, 0]]) == pytest.approx(0, abs=1e-9)
    constant = torch.cat([orthogonal, torch.ones(1, 1, 2, 2)], dim=1)
    assert reference.meco(nested, constant) == pytest.approx(0, abs=1e-9)
    assert reference.meco(nn.Flatten(), orthogonal) == 0
    images, _ = networks.batch("plain_cnn", 3, seed=0)
    first = reference.meco(networks.plain_cnn(), images[:1])
    assert reference.meco(networks.plain_cnn(), images) == first > 0
    assert reference.meco_opt(nested, constant, choose=lambda _: [1, 0]) == pytest.approx(4.5)
    assert reference.meco_opt(nested, constant, choose=range) == reference.meco(nested, constant)


def hadamard_features(scales: list[float]) -> Tensor:
    """One image of four positions whose channels are uncorrelated with these deviations."""
    rows = torch.tensor([[1.0, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])[: len(scales)]
    return (rows * torch.tensor(scales)[:, None] + 2).reshape(1, -1, 2, 2)


def test_az_nas_expressivity_and_progressivity():
    network = nn.Sequential(nn.Identity(), conv1x1([[1.0, 0.0], [0.0, math.sqrt(3)]]))
    images = hadamard_features([1, 1])
    even, uneven = math.log(2), -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    settings = {"features": list(network), "double": True}
    e = reference.az_expressivity(network, images, **settings)
    assert e == pytest.approx(even + uneven, abs=1e-6)
    p = reference.az_progressivity(network, images, **settings)
    assert p == pytest.approx(uneven - even, abs=1e-6)
    back = nn.Sequential(*network, conv1x1([[math.sqrt(3), 0.0], [0.0, 1.0]]))
    p = reference.az_progressivity(back, images, features=list(back), double=True)
    assert p == pytest.approx(uneven - even, abs=1e-6)
    assert reference.az_expressivity(network, images * 0, **settings) == -math.inf


def test_az_nas_trainability():
    u = torch.tensor([1.0, -1, 1, -1, 1, 1, -1, -1]).reshape(1, 2, 2, 2)
    images = hadamard_features([1, 1])
    network = nn.Sequential(nn.Identity(), conv1x1([[4.0, 0.0], [0.0, 2.0]]), nn.Identity())
    block = {"features": list(network)[:2], "cotangents": [u]}
    # The channels of u are orthogonal, so vᵀu / positions is the weight itself.
    assert reference.az_trainability(network, images, **block) == pytest.approx(-4 - 1 / 4 + 2)
    both = {"features": list(network), "cotangents": [u, u]}
    assert reference.az_trainability(network, images, **both) == -math.inf
    # Average pooling spreads u/4 over each window; unshuffled, that is four equal channels.
    pool = nn.Sequential(nn.Identity(), nn.AvgPool2d(2))
    block = {"features": list(pool), "cotangents": [u[:, :1]]}
    value = reference.az_trainability(pool, torch.randn(1, 1, 4, 4), **block)
    assert value == pytest.approx(-0.5 - 2 + 2, abs=1e-5)


def test_az_nas_trainability_where_no_path_leads_back():
    nothing = -1e6 + 2
    dead, (images, _) = networks.nb201_dead(), networks.batch("nb201_dead", 2, seed=0)
    block = {"features": [dead.stem, dead.cells[0]], "cotangents": [torch.ones(2, 16, 16, 16)]}
    assert reference.az_trainability(dead, images, **block) == pytest.approx(nothing)
    none = spaces.get("nb201").build(nb201.to_key(["none"] * 6), "cifar10")
    block["features"] = [none.stem, none.cells[0]]
    assert reference.az_trainability(none, images, **block) == pytest.approx(nothing)
    network, (images, _) = networks.dead_branch(), networks.batch("dead_branch", 2, seed=0)
    backwards = {
        "features": [network.head, network.stem[0]],
        "cotangents": [torch.ones(2, 4, 8, 8)],
    }
    assert reference.az_trainability(network, images, **backwards) == pytest.approx(nothing)


def test_near_by_hand():
    assert reference.effective_rank(np.eye(4)) == pytest.approx(4)
    assert reference.effective_rank(np.ones((4, 4))) == pytest.approx(1)
    assert reference.effective_rank(np.zeros((2, 2))) == 0
    network = nn.Sequential(linear([[1.0, 0.0], [0.0, 1.0]]), nn.ReLU(), nn.Flatten())
    images = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0], [1.0, -1.0]])
    assert reference.near(network, images, start=lambda *_: 0) == pytest.approx(2 + 2)
    assert reference.near(network, images, start=lambda *_: 2) == pytest.approx(1 + 1)
    # Just enough rows: the choice is still asked for, and a block may run past the end.
    assert reference.near(network, images[:2], start=lambda *_: 1) == pytest.approx(1 + 1)
    # Four-dimensional outputs: rows are positions, and the last axis has length two.
    shapes = []
    reference.near(
        conv1x1([[1.0]] * 3), torch.ones(2, 1, 4, 2), start=lambda *s: shapes.append(s) or 0
    )
    assert shapes == [(16, 3, 2)]
