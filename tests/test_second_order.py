"""Convolution and batch norm with written-out second derivatives, against torch's own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from references import networks
from torch import Tensor, nn

from harness import api
from harness.core.types import Batch
from harness.passes.run import Run
from harness.passes.second_order import fast_second_derivatives
from harness.scoring import engine

CONVOLUTIONS = st.builds(
    dict,
    kernel_size=st.sampled_from([1, 3, (1, 3)]),
    stride=st.sampled_from([1, 2]),
    padding=st.sampled_from([0, 1, 2]),
    dilation=st.sampled_from([1, 2]),
    groups=st.sampled_from([1, 2, 4]),
    bias=st.booleans(),
)


def block(**convolution: object) -> nn.Sequential:
    """Convolution and norm twice, so that second derivatives pass through inputs as well."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.Softplus(),
        nn.Conv2d(4, 8, **convolution),  # type: ignore[arg-type]
        nn.BatchNorm2d(8, affine=False, track_running_stats=False),
        nn.Softplus(),
        nn.Flatten(),
    ).double()


class Joined(nn.Module):
    """Everything that is linear where it is: ReLUs, poolings and a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Softplus())
        self.relu = nn.ReLU()
        self.branches = nn.ModuleList(
            [
                nn.MaxPool2d(3, stride=2, padding=1),
                nn.AvgPool2d((3, 3), stride=2, padding=1, count_include_pad=False),
                nn.Sequential(nn.Conv2d(4, 2, 1, stride=2, bias=False), nn.BatchNorm2d(2)),
            ]
        )
        self.last = nn.Sequential(nn.Conv2d(10, 3, 2), nn.BatchNorm2d(3), nn.Softplus())

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.relu(x - x.detach().mean())
        joined = torch.cat([branch(x).square() for branch in self.branches], dim=1)
        return self.last(joined).flatten(1)


def derivatives(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Output, gradients for images and weights, and the Hessian times an arbitrary vector."""
    images = images.clone().requires_grad_(True)
    weights = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d)]
    output = network(images)
    loss = (output * torch.linspace(-1, 2, output.numel()).reshape(output.shape).to(output)).sum()
    gradients = torch.autograd.grad(loss, [images, *weights], create_graph=True)
    weighted = [(g * torch.linspace(0, 1, g.numel()).reshape(g.shape).to(g)) for g in gradients]
    products = torch.autograd.grad(sum(w.sum() for w in weighted), [images, *weights])
    return [t.detach() for t in (output, *gradients, *products)]


@settings(max_examples=30, deadline=None)
@given(CONVOLUTIONS, st.booleans(), st.integers(0, 100))
def test_all_derivatives_equal_those_of_torch(
    convolution: dict[str, object], channels_last: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    network, images = block(**convolution), torch.randn(3, 3, 6, 7).double()
    if channels_last:
        images = images.to(memory_format=torch.channels_last)
    expected = derivatives(network, images)
    with fast_second_derivatives(network):
        found = derivatives(network, images)
    first = len(expected) // 2 + 1
    for one, other in zip(found[:first], expected[:first], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)
    for one, other in zip(found[first:], expected[first:], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("channels_last", [False, True])
def test_derivatives_of_linear_layers_equal_those_of_torch(channels_last: bool) -> None:
    torch.manual_seed(0)
    network, images = Joined().double(), torch.randn(3, 3, 6, 7).double()
    if channels_last:
        images = images.to(memory_format=torch.channels_last)
    expected = derivatives(network, images)
    with fast_second_derivatives(network):
        found = derivatives(network, images)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


class Written(nn.Module):
    """Writes into the output of a convolution, and uses a weight in a layer and a function."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, bias=False)
        self.biased = nn.Conv2d(4, 4, 1)
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolution(x)
        y += 1
        z = nn.functional.softplus(self.biased(self.biased(y.tanh())))
        z = nn.functional.conv2d(z, self.biased.weight)
        return self.last(z.mean(dim=(2, 3)))


@pytest.mark.parametrize("make", [Joined, Written])
@pytest.mark.parametrize("jacobian", [False, True])
def test_grasp_is_weights_times_the_hessians_product(make: type[nn.Module], jacobian: bool) -> None:
    torch.manual_seed(0)
    network = make().double()
    images, labels = torch.randn(4, 3, 6, 7).double(), torch.arange(4) % 2
    weights = [m.weight for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    loss = nn.functional.cross_entropy(network(images), labels)
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    norm = sum((g.detach() * g).sum() for g in gradients)
    products = torch.autograd.grad(norm, weights)
    expected = -sum(float((w.detach() * h).sum()) for w, h in zip(weights, products, strict=True))

    run = Run(network, Batch(images, labels))
    found = engine.score(run, ["grasp", *(["jacov"] if jacobian else [])])["grasp"]
    assert found.value == pytest.approx(expected, rel=1e-9)


def test_second_derivatives_equal_finite_differences() -> None:
    torch.manual_seed(0)
    network = block(kernel_size=3, padding=1)
    images = torch.randn(2, 3, 4, 4).double().requires_grad_(True)
    with fast_second_derivatives(network):
        assert torch.autograd.gradgradcheck(network, (images,))


@pytest.mark.parametrize("channels_last", [False, True])
def test_other_proxies_do_not_notice(channels_last: bool) -> None:
    network = networks.nb201_mixed()
    images, labels = networks.batch("nb201_mixed", 8, seed=0)
    batch = Batch(images, labels).to("cpu", channels_last=channels_last)
    others = ["snip", "fisher", "grad_norm", "plain", "jacov", "nwot"]
    alone = api.score(network, batch, others)
    together = api.score(network, batch, [*others, "grasp"])
    assert {name: score.value for name, score in alone.items()} == {
        name: together[name].value for name in others
    }


def test_the_network_is_put_back_after_an_error() -> None:
    network = block(kernel_size=1)
    with pytest.raises(ValueError, match="4D input"), fast_second_derivatives(network):
        network[1](torch.zeros(2, 4))
    assert all("forward" not in vars(module) for module in network.modules())


def test_modules_of_another_kind_keep_their_forward() -> None:
    class Doubled(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * super().forward(x)

    network = nn.Sequential(
        Doubled(1, 1, 1),
        nn.Conv2d(1, 1, 3, padding="same"),
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        nn.BatchNorm2d(1).eval(),
    )
    with fast_second_derivatives(network):
        assert all("forward" not in vars(module) for module in network)
