"""Perturbation scores against a literal reading of the released scorer, in double precision."""

from contextlib import ExitStack

import numpy as np
import pytest
import torch
from torch import nn

from harness.core.errors import HarnessError
from harness.core.types import Batch
from harness.passes.run import Run
from harness.scoring import engine
from harness.search.supernets.darts_supernet import DartsSupernet
from harness.search.supernets.nb201_supernet import EDGES, Nb201Supernet
from harness.search.supernets.supernet import State
from harness.search.zero_cost_pt.kernel import network_kernel
from harness.search.zero_cost_pt.perturbation import (
    PerturbationScorer,
    discretised_scores,
    masked_scores,
    network_score,
)
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings
from harness.spaces import nb201
from harness.spaces.networks.nb201_network import Nb201Network

CLEAN, FAITHFUL = ZeroCostPtSettings(counting="clean"), ZeroCostPtSettings(counting="faithful")


def small_nb201():
    torch.manual_seed(0)
    net = Nb201Supernet(10, widths=(4, 8), cells=1).double()
    net.draw_alphas(0)
    return net


def small_darts(space="darts"):
    torch.manual_seed(0)
    net = DartsSupernet(space, 10, channels=4, layers=4).double()
    net.draw_alphas(0)
    return net


def images(n=6, side=8):
    return torch.randn(n, 3, side, side, generator=torch.manual_seed(1), dtype=torch.float64)


def batch(n=6, side=8):
    return Batch(images(n, side), torch.arange(n) % 10)


class Literal:
    """K as the released code adds it up: one hooked call after the other, one product each."""

    def __init__(self, n):
        self.total = torch.zeros(n, n, dtype=torch.float64)

    def count(self, x):
        bits = (x > 0).double().flatten(1)
        self.total += bits @ bits.T + (1 - bits) @ (1 - bits).T

    def hooked(self, network, composites):
        """Hooks every ReLU, and the blocks whose type name would hold "ReLU" too."""
        hooks = ExitStack()
        for module in network.modules():
            if isinstance(module, nn.ReLU) or module in composites:
                handle = module.register_forward_hook(lambda m, inputs, y: self.count(inputs[0]))
                hooks.callback(handle.remove)
        return hooks

    def score(self):
        return np.linalg.slogdet(self.total.numpy())[1]


def literal_nb201(net, state, x):
    """Every operation runs; one of weight 0 runs on zeros, below a block that saw its input."""
    weights = net.weights("cell", state).values
    blocks = {op for cell in net.stages if cell.kind for edge in cell.edges for op in edge[2:4]}
    blocks |= {b for s in net.stages if not s.kind for b in (s.block.conv_a, s.block.conv_b)}
    literal = Literal(len(x))
    with torch.no_grad(), literal.hooked(net, blocks):
        x = net.stem(x)
        for stage in net.stages:
            if not stage.kind:
                x = stage.block(x)
                continue
            nodes = [x, 0, 0, 0]
            for edge, (source, target) in enumerate(EDGES):
                for op, weight in zip(stage.edges[edge], weights[edge], strict=True):
                    if weight:
                        nodes[target] = nodes[target] + weight * op(nodes[source])
                    elif op in blocks:
                        literal.count(nodes[source])
                        for layer in op:
                            layer(nodes[source] * 0)
                if not torch.is_tensor(nodes[target]):
                    nodes[target] = nodes[source] * 0
            x = nodes[3]
        net.head(x)
    return literal.score()


def literal_by_hooks(net, state, x, composites=()):
    """A plain forward of the supernet, which skips operations of weight 0."""
    literal = Literal(len(x))
    net.eval()
    with torch.no_grad(), literal.hooked(net, composites), net.at(state):
        net(x)
    net.train()
    return literal.score()


DECISIONS = [
    {},
    {("cell", 0): 3, ("cell", 4): 1},
    {("cell", 0): 0, ("cell", 1): 4, ("cell", 2): 0, ("cell", 5): 2},
]


@pytest.mark.parametrize("decisions", DECISIONS)
@pytest.mark.parametrize("edge", [1, 3])
def test_nb201_scores_are_the_literal_ones(decisions, edge):
    net, edge = small_nb201(), ("cell", edge)
    masks = [State(decisions, (edge, o)) for o in range(5)]
    faithful = masked_scores(net, decisions, edge, batch(), FAITHFUL)
    net.eval()
    assert faithful == pytest.approx([literal_nb201(net, s, images()) for s in masks], abs=1e-9)
    net.train()
    clean = masked_scores(net, decisions, edge, batch(), CLEAN)
    assert clean == pytest.approx([literal_by_hooks(net, s, images()) for s in masks], abs=1e-9)
    if edge not in decisions:
        assert len({round(score, 6) for score in clean + faithful}) > 5, "they tell them apart"


def test_nb201_discretised_scores_are_the_literal_ones():
    net, edge, decisions = small_nb201(), ("cell", 2), {("cell", 0): 2}
    states = [State(decisions | {edge: o}) for o in range(5)]
    for settings, literal in ((FAITHFUL, literal_nb201), (CLEAN, literal_by_hooks)):
        net.eval()
        expected = [literal(net, state, images()) for state in states]
        net.train()
        assert discretised_scores(net, decisions, edge, batch(), settings) == pytest.approx(
            expected, abs=1e-9
        )


@pytest.mark.parametrize("space", ["darts", "darts_s3", "darts_s4"])
@pytest.mark.parametrize("edge", [("normal", 4), ("reduce", 7)])
def test_darts_scores_are_the_literal_ones(space, edge):
    net, decisions = small_darts(space), {("normal", 0): 1, ("reduce", 9): 0}
    doubled = {
        block
        for cell in net.stages
        for block in (cell.preprocess_before, cell.preprocess)
        if isinstance(block, nn.Sequential)
    }
    masks = [State(decisions, (edge, o)) for o in range(len(net.names(edge)))]
    for settings, composites in ((CLEAN, ()), (FAITHFUL, doubled)):
        expected = [literal_by_hooks(net, s, images(4), composites) for s in masks]
        scores = masked_scores(net, decisions, edge, batch(4), settings)
        assert scores == pytest.approx(expected, abs=1e-9)


def test_removed_edges_are_scored_without_them():
    net = small_darts()
    decisions = dict.fromkeys(net.edges(), 3)
    edges, gone = [("reduce", e) for e in (2, 3, 4)], frozenset({("normal", 9)})
    scores = PerturbationScorer(net, decisions, batch(4), CLEAN, gone).removed(edges)
    states = [State(decisions, removed=gone | {edge}) for edge in edges]
    expected = [literal_by_hooks(net, state, images(4)) for state in states]
    assert scores == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("settings", [CLEAN, FAITHFUL])
def test_masking_none_changes_nothing(settings):
    net = small_nb201()
    scores = [masked_scores(net, {}, ("cell", e), batch(), settings)[0] for e in range(6)]
    assert len(set(scores)) == 1


def test_a_network_of_its_own_is_counted_alike():
    key = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"
    net = Nb201Network(nb201.parse(key), 10).double()
    blocks = {
        m for m in net.cells.modules() if isinstance(m, nn.Sequential) and type(m[0]) is nn.ReLU
    }
    for settings, composites in ((CLEAN, set()), (FAITHFUL, blocks)):
        literal = Literal(6)
        with torch.no_grad(), literal.hooked(net.eval(), composites):
            net(images())
        assert torch.equal(network_kernel(net.train(), images(), settings.counting), literal.total)
        assert network_score(net, batch(), settings) == pytest.approx(literal.score())


def test_the_supernet_is_left_as_it_was():
    net = small_nb201()
    net.stages[0].eval()
    modes = [module.training for module in net.modules()]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    masked_scores(net, {}, ("cell", 0), batch(), FAITHFUL)
    masked_scores(net, {}, ("cell", 0), batch(), ZeroCostPtSettings(proxy="snip"))
    assert [module.training for module in net.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.state == State()
    assert not any(module._forward_pre_hooks for module in net.modules())


def test_other_proxies_score_the_supernet_as_the_engine_does():
    net = small_nb201().float()
    one = Batch(images().float(), torch.arange(6))
    edge, decisions = ("cell", 3), {("cell", 0): 3}
    scores = masked_scores(net, decisions, edge, one, ZeroCostPtSettings(proxy="snip"))
    for operation, score in enumerate(scores):
        with net.at(State(decisions, (edge, operation))):
            assert score == engine.score(Run(net, one), ["snip"])["snip"].value
    assert scores[0] != scores[3]


def test_what_comes_before_the_first_reduction_cell_runs_once():
    net = small_darts()
    calls = dict.fromkeys(range(4), 0)
    for index, cell in enumerate(net.stages):
        cell.register_forward_hook(lambda *_, i=index: calls.update({i: calls[i] + 1}))
    PerturbationScorer(net, {}, batch(4), CLEAN).masked(("reduce", 0))
    assert calls == {0: 1, 1: 8, 2: 7, 3: 7}, "the first of its kind runs once for its memory"
    again = next(m for m in net.stages[1].edges[3].modules() if isinstance(m, nn.Conv2d))
    runs = []
    again.register_forward_hook(lambda *_: runs.append(1))
    PerturbationScorer(net, {}, batch(4), CLEAN).masked(("reduce", 13))
    assert len(runs) == 1, "no perturbed edge lies before this operation"


def test_a_proxy_without_a_value_is_told():
    net = small_nb201()
    equal = Batch(images()[:1].expand(4, -1, -1, -1), torch.arange(4))
    with pytest.raises(HarnessError, match="undefined for every perturbation"):
        masked_scores(net, {}, ("cell", 0), equal, CLEAN)
    with pytest.raises(HarnessError, match="no edge"):
        masked_scores(net, {}, ("cell", 9), batch(), CLEAN)
