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
from harness.passes.second_order import fast_second_derivatives

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
