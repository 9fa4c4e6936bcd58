"""Gradients the fast way: those of torch, laid out as what they belong to."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from harness import api
from harness.core.layouts import layout_of, zeros_beside
from harness.core.types import Batch
from harness.inputs.selection import InputSettings
from harness.passes import depthwise, synaptic_flow
from harness.passes.convolutions import Geometry, convolve
from harness.passes.fast_gradients import fast_gradients
from harness.passes.run import Run
from harness.scoring import engine
from harness.spaces.space import spaces

SIZES = st.tuples(st.integers(4, 13), st.integers(4, 13))
SMALL = st.tuples(st.integers(1, 3), st.integers(1, 3))
GEOMETRIES = st.builds(
    Geometry,
    stride=SMALL,
    padding=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    dilation=SMALL,
    groups=st.just(4),
)


def square(stride: int, padding: int, dilation: int) -> Geometry:
    return Geometry((stride, stride), (padding, padding), (dilation, dilation), groups=4)


@settings(max_examples=150, deadline=None)
@given(SIZES, st.tuples(st.integers(1, 7), st.integers(1, 7)), GEOMETRIES, st.booleans())
@example((8, 8), (3, 3), square(1, 2, 2), True)
@example((8, 6), (5, 5), square(1, 4, 2), True)
@example((9, 8), (3, 3), square(2, 2, 2), True)
@example((8, 8), (5, 5), square(2, 4, 2), False)
@example((8, 8), (5, 5), square(2, 2, 1), True)
@example((4, 4), (7, 7), square(1, 3, 1), False)
def test_depthwise_gradients_are_those_of_torch(
    size: tuple[int, int], kernel: tuple[int, int], geometry: Geometry, channels_last: bool
) -> None:
    sides = zip(size, kernel, geometry.padding, geometry.dilation, strict=True)
    assume(all(side + 2 * pad > step * (wide - 1) for side, wide, pad, step in sides))
    torch.manual_seed(0)
    x = torch.randn(2, 4, *size, dtype=torch.float64)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    x.requires_grad_(True)
    weight = torch.randn(4, 1, *kernel, dtype=torch.float64, requires_grad=True)
    output = convolve(x, weight, geometry)
    g = torch.randn_like(output)
    of_x, of_weight = torch.autograd.grad(output, [x, weight], g)

    found = depthwise.to_input(g, x.detach(), weight.detach(), geometry)
    torch.testing.assert_close(found, of_x, rtol=1e-10, atol=1e-10)
    found = depthwise.to_weight(g, x.detach(), weight.detach(), geometry)
    torch.testing.assert_close(found, of_weight, rtol=1e-10, atol=1e-10)


NETWORKS = [
    ("nb201", "cifar10", "|nor_conv_1x1~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"),
    ("nb101", "cifar10", "conv3x3~0|conv3x3~0|maxpool3x3~0|conv3x3~3|output~124"),
    ("tnb101_micro", "class_scene", "64-41414-0_23_300"),
    (
        "darts",
        "cifar10",
        "(((0, 5), (1, 3), (1, 2), (2, 1), (0, 6), (3, 5), (1, 6), (2, 0)), "
        "((0, 6), (1, 3), (0, 1), (2, 2), (0, 4), (1, 2), (0, 2), (2, 1)))",
    ),
]


class Layouts(TorchDispatchMode):
    """Counts the backwards of batch norm, and those whose two large inputs differ in layout."""

    def __init__(self) -> None:
        super().__init__()
        self.backwards = self.differing = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if operation is torch.ops.aten.native_batch_norm_backward.default:
            self.backwards += 1
            self.differing += args[0].stride() != args[1].stride()
        return operation(*args, **(kwargs or {}))


def run_of(space: str, task: str, key: str, *, channels_last: bool) -> Run:
    batch = api.batch(task, inputs=InputSettings(source="gaussian"), size=4)
    network = spaces.get(space).build(key, task, seed=0)
    return Run(network, batch.to("cpu", channels_last=channels_last))


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("network", NETWORKS, ids=[network[0] for network in NETWORKS])
def test_batch_norms_get_gradients_in_the_layout_of_their_input(
    network: tuple[str, str, str], twice: bool, channels_last: bool
) -> None:
    run = run_of(*network, channels_last=channels_last)
    with Layouts() as seen:
        engine.score(run, ["snip", *(["grasp"] if twice else [])])
    assert seen.backwards > 5
    assert seen.differing == 0


def gradients(run: Run) -> list[Tensor]:
    weights = [module.weight for module in run.network.modules() if isinstance(module, nn.Conv2d)]
    loss = run.network(run.batch.images).square().mean()
    found: tuple[Tensor, ...] = torch.autograd.grad(
        loss, weights, allow_unused=True, materialize_grads=True
    )
    return list(found)


@pytest.mark.parametrize("network", NETWORKS, ids=[network[0] for network in NETWORKS])
def test_gradients_of_networks_are_those_of_torch(network: tuple[str, str, str]) -> None:
    run = run_of(*network, channels_last=True)
    with run.undisturbed("test"):
        expected = gradients(run)
        with fast_gradients(run):
            found = gradients(run)
    for one, other in zip(found, expected, strict=True):
        # Batch norm makes gradients orthogonal to their weights: what is left of large sums.
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))
    assert not any("forward" in vars(module) for module in run.network.modules())
    assert not any(module._forward_hooks for module in run.network.modules())


@pytest.mark.parametrize(
    ("make", "layout"),
    [
        (lambda x: x, torch.contiguous_format),
        (lambda x: x.contiguous(memory_format=torch.channels_last), torch.channels_last),
        (lambda x: x[:, :, ::2], torch.contiguous_format),
        (lambda x: x[:, :1, :, :1], torch.contiguous_format),
    ],
)
def test_zeros_beside_a_tensor_have_its_layout(
    make: Callable[[Tensor], Tensor], layout: torch.memory_format
) -> None:
    x = make(torch.ones(2, 3, 4, 6, dtype=torch.float64))
    assert layout_of(x) is layout
    zeros = zeros_beside(x, (2, 5, 2, 3))
    assert zeros.shape == (2, 5, 2, 3)
    assert zeros.is_contiguous(memory_format=layout)
    assert zeros.dtype == x.dtype
    assert not zeros.any()


class Signed(nn.Module):
    """Uses weights in every way at once: in layers, functions, both, twice, with both signs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular")
        self.second = nn.Conv2d(4, 4, 1, groups=2)
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))
        self.last = nn.Linear(4, 4)
        self.sign = 1.0
        self.written = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if self.written:
            x += 1
        x = self.second(self.second(x)).mean(dim=(2, 3))
        x = self.normed(x) + nn.functional.linear(x, self.last.weight)
        return self.sign * self.last(x) + self.last(x.square()).flip(1)


@pytest.mark.parametrize("sign", [1.0, -0.5, -3.0])
@pytest.mark.parametrize("written", [False, True])
def test_synflow_is_its_definition_however_weights_are_used(
    sign: float, written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sign > 0 and not written:  # no term is negative, so that outputs are enough
        monkeypatch.delattr(synaptic_flow, "_flow_through_weights")
    torch.manual_seed(0)
    network = Signed()
    network.sign, network.written = sign, written
    images = torch.zeros(2, 3, 5, 5)
    found = engine.score(Run(network, Batch(images)), ["synflow"])["synflow"]

    plain = copy.deepcopy(network).double()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.abs_()
    weights = [plain.first.weight, plain.second.weight, plain.last.weight]
    gradients = torch.autograd.grad(plain(torch.ones(1, 3, 5, 5).double()).sum(), weights)
    pairs = zip(weights, gradients, strict=True)
    flow = sum(float((weight * gradient).detach().abs().sum()) for weight, gradient in pairs)
    assert found.value == pytest.approx(math.log(flow), rel=1e-12)
    assert not any("forward" in vars(module) for module in network.modules())
