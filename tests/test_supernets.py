"""Supernets: published counts, weights of a state, and the network that decisions leave."""

import pytest
import torch
from torch import nn
from vectors import measured, vectors

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.search.supernets.darts_supernet import DartsSupernet
from harness.search.supernets.named_supernets import blueprint, supernet
from harness.search.supernets.nb201_supernet import Nb201Supernet
from harness.search.supernets.supernet import PlacedNoise, State, fix_noise
from harness.spaces import nb201
from harness.spaces.darts import Genotype
from harness.spaces.darts_candidates import CANDIDATES, EDGES
from harness.spaces.darts_skeleton import Skeleton
from harness.spaces.networks.darts_network import DartsNetwork
from harness.spaces.networks.nb201_network import Nb201Network
from harness.spaces.space import spaces

COUNTS = vectors("supernets").get("vectors", {})
NAMES = {"nb201_supernet_C16_N5_10cls": "nb201", "darts_supernet_C16_L8_s5": "darts"}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_the_released_supernets(name):
    space = NAMES.get(name) or f"darts_{name[-2:]}"
    work, expected = measured(blueprint(space)), COUNTS[name]
    for count in ("params", "macs", "relu_calls", "relu_units", "conv_calls", "output_shape"):
        assert getattr(work, count) == expected.get(count, getattr(work, count)), count
    if "num_ops" in expected:
        edges = [names for kind in blueprint(space).operations.values() for names in kind]
        assert {len(names) for names in edges} == {expected["num_ops"]}


def test_edges_of_every_space():
    assert [len(blueprint("nb201").operations[kind]) for kind in ("cell",)] == [6]
    for space in CANDIDATES:
        operations = blueprint(space).operations
        assert list(operations) == ["normal", "reduce"]
        assert [len(edges) for edges in operations.values()] == [14, 14]
    assert EDGES[:5] == ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    s1 = blueprint("darts_s1").operations
    assert s1["normal"][12] == ("dil_conv_3x3", "dil_conv_5x5")
    assert s1["reduce"][6] == ("max_pool_3x3", "sep_conv_3x3")
    assert "none" not in blueprint("darts").operations["normal"][0]


def test_untrained_weights_are_nearly_equal_and_a_mask_does_not_renormalise():
    net = supernet("nb201", "cifar10", seed=0)
    edge = ("cell", 3)
    whole = net.weights("cell", State()).values
    assert all(abs(weight - 0.2) < 2e-3 for row in whole for weight in row)
    assert len({weight for row in whole for weight in row}) == 30, "drawn, not equal"
    masked = net.weights("cell", State(masked=(edge, 2))).values
    assert masked[3] == [*whole[3][:2], 0.0, *whole[3][3:]]
    assert masked[:3] == whole[:3]
    decided = net.weights("cell", State({edge: 4}, (edge, 1))).values
    assert decided[3] == [0, 0, 0, 0, 1]
    removed = net.weights("cell", State({edge: 4}, removed=frozenset({edge}))).values
    assert removed[3] == [0] * 5


def test_a_seed_fixes_weights_and_alphas_apart():
    first, again = (supernet("nb201", "cifar10", seed=1) for _ in range(2))
    other = supernet("nb201", "cifar10", seed=2)
    assert torch.equal(first.classifier.weight, again.classifier.weight)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)
    alphas = [alpha.clone() for alpha in first.alphas["cell"]]
    assert all(map(torch.equal, alphas, again.alphas["cell"]))
    first.draw_alphas(1, 7)
    assert not torch.equal(alphas[0], first.alphas["cell"][0])
    assert torch.equal(first.classifier.weight, again.classifier.weight)


def convolutions(module):
    return [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)]


def copy_weights(source, target):
    """Copies all convolutions and linear layers, which must come in the same order."""
    with torch.no_grad():
        for a, b in zip(convolutions(source), convolutions(target), strict=True):
            for parameter, value in zip(b.parameters(), a.parameters(), strict=True):
                parameter.copy_(value)


def test_a_decided_supernet_is_the_benchmarks_network():
    """Batch norm without weights equals one whose weights have their initial values."""
    key = spaces.get("nb201").sample(1, seed=3)[0]
    names = nb201.parse(key)
    net, alone = Nb201Supernet(10).eval(), Nb201Network(names, 10).eval()
    state = State({("cell", e): nb201.OPERATIONS.index(name) for e, name in enumerate(names)})
    kept = nn.ModuleList([net.stem])
    for stage in net.stages:
        if stage.kind:
            kept.extend(stage.edges[e][o] for (_, e), o in state.decided.items())
        else:
            kept.append(stage)
    copy_weights(kept.append(net.classifier), alone)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad(), net.at(state):
        assert torch.allclose(net(images), alone(images), atol=1e-5)


def test_a_decided_darts_supernet_is_the_genotypes_network():
    names = CANDIDATES["darts"]["normal"][0]
    genes = tuple(
        (names[(node + position) % 7], source)
        for node in range(2, 6)
        for position, source in enumerate((0, node - 1))
    )
    net = DartsSupernet("darts", 10, channels=4, layers=3).eval()
    alone = DartsNetwork(Genotype(genes, genes), Skeleton(4, 3, affine=False), 10).eval()
    kept = {(source, 2 + i // 2): name for i, (name, source) in enumerate(genes)}
    chosen = [names.index(kept.get(edge, "skip_connect")) for edge in EDGES]
    edges = [(kind, e) for kind in net.operations for e in range(14)]
    state = State(
        {edge: chosen[edge[1]] for edge in edges},
        removed=frozenset(edge for edge in edges if EDGES[edge[1]] not in kept),
    )
    parts = nn.ModuleList([net.stem])
    for cell in net.stages:
        parts.extend([cell.preprocess_before, cell.preprocess])
        parts.extend(cell.edges[e][chosen[e]] for e, edge in enumerate(EDGES) if edge in kept)
    copy_weights(parts.append(net.classifier), alone)
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad(), net.at(state):
        assert torch.allclose(net(images), alone(images), atol=1e-5)


def test_alphas_can_be_trained():
    net = Nb201Supernet(10, widths=(4,), cells=1)
    for alpha in net.alphas["cell"]:
        alpha.requires_grad_(True)
    net(torch.randn(2, 3, 8, 8)).square().sum().backward()
    assert all(alpha.grad.abs().sum() > 0 for alpha in net.alphas["cell"])


def test_noise_has_its_own_generator():
    noise, x = PlacedNoise(2, (0, 3)), torch.ones(2, 4, 9, 9)
    with seeds.torch_stream("test"):
        before = torch.random.get_rng_state()
        first = noise(x)
        assert torch.equal(before, torch.random.get_rng_state())
    assert first.shape == (2, 4, 5, 5)
    assert torch.equal(first, noise(5 * x)), "whatever the input"
    assert not torch.equal(first, PlacedNoise(2, (1, 3))(x))
    fix_noise(noise, 0, "other batch")
    assert not torch.equal(first, noise(x))
    drawn = noise(torch.ones(64, 16, 8, 8))
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_mistakes_are_told():
    with pytest.raises(HarnessError, match="Did you mean 'nb201'"):
        supernet("nb21", "cifar10", 0)
    net = blueprint("nb201")
    for state in (
        State({("cell", 6): 0}),
        State({("cell", 0): 5}),
        State(masked=(("reduce", 0), 0)),
    ):
        with pytest.raises(HarnessError, match=r"edge|operations"), net.at(state):
            pass
