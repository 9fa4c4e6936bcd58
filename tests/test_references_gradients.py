"""The reference implementations that differentiate, on cases that can be worked out by hand."""

import math

import numpy as np
import pytest
import torch
from references import networks
from references import proxies as reference
from references.handmade import HalfSquare, Sines, conv1x1, linear, summed
from torch import Tensor, nn

K = 1e-5

# Of the loss, by the weights


def test_gradients_of_a_linear_layer():
    network, images = linear([[1.0, -2.0], [3.0, 0.5]]), torch.tensor([[1.0, -1.0], [2.0, 4.0]])
    settings = {"labels": torch.zeros(2), "loss": summed}
    # Both rows of the gradient are the sum of the images, (3, 3).
    assert reference.grad_norm(network, images, **settings) == pytest.approx(6)
    assert reference.snip(network, images, **settings) == pytest.approx(3 + 6 + 9 + 1.5)
    assert reference.plain(network, images, **settings) == pytest.approx(3 - 6 + 9 + 1.5)
    # The signs of two rows of two weights cancel in the second column only.
    assert reference.gradsign(network, images, **settings) == pytest.approx(4.0)
    assert reference.gradsign(network, images[:1], **settings) == pytest.approx(4.0)


def test_grad_norm_sums_the_norms_of_layers():
    network, images = (
        nn.Sequential(linear([[2.0, 0.0]]), linear([[3.0]])),
        torch.tensor([[1.0, 1.0]]),
    )
    # ∂/∂W1 = 3·(1, 1), ∂/∂W2 = 2
    value = reference.grad_norm(network, images, torch.zeros(1), loss=summed)
    assert value == pytest.approx(3 * math.sqrt(2) + 2)


def test_plain_of_convolutions_before_batch_norm_vanishes():
    images, labels = networks.batch("plain_cnn", 8, seed=3)
    network = networks.plain_cnn().double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-12
    probe = network[-1].weight
    logits = network(images.double())
    (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(logits, labels), probe)
    expected = float((probe * gradient).detach().sum())
    assert reference.plain(network, images, labels, double=True) == pytest.approx(expected)
    assert abs(expected) > 1e-3


@pytest.mark.parametrize("name", [*networks.ZOO, "sines"])
def test_grasp_is_a_finite_difference_of_gradients(name):
    torch.manual_seed(0)
    network = (Sines() if name == "sines" else networks.ZOO[name][0]()).double()
    images, labels = networks.batch("plain_cnn" if name == "sines" else name, 4, seed=5)
    weights = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    starts = [w.detach().clone() for w in weights]

    def gradient(step: float, directions: list[Tensor]) -> list[Tensor]:
        for weight, start, direction in zip(weights, starts, directions, strict=True):
            weight.data = start + step * direction
        loss = nn.functional.cross_entropy(network(images.double()), labels)
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        return [
            torch.zeros_like(w) if g is None else g for w, g in zip(weights, found, strict=True)
        ]

    # Tiny, because a rectifier that switches in between spoils the difference.
    g, step = gradient(0, starts), 1e-9
    ahead, behind = gradient(step, g), gradient(-step, g)
    expected = -sum(
        float((w * (a - b)).sum()) / (2 * step)
        for w, a, b in zip(starts, ahead, behind, strict=True)
    )
    gradient(0, starts)
    actual = reference.grasp(network, images, labels, double=True)
    assert actual == pytest.approx(expected, rel=1e-3)


def test_grasp_of_a_quadratic():
    network, images = linear([[1.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    # L = Σ (Wx)²/2 has H = S = diag(1, 9) and g = W S, so −⟨W, W S²⟩ = −(1 + 4·81).
    value = reference.grasp(network, images, torch.zeros(2), loss=lambda o, _: (o**2).sum() / 2)
    assert value == pytest.approx(-325)


def test_fisher_by_hand():
    network, images = linear([[1.0, -1.0], [2.0, 0.0]]), torch.tensor([[1.0, 2.0], [3.0, 1.0]])
    # a = [[−1, 2], [2, 6]] and δ = 1: ½·mean(1, 4) + ½·mean(4, 36), times two inputs.
    value = reference.fisher(network, images, torch.zeros(2), loss=summed)
    assert value == pytest.approx(2 * (1.25 + 10))
    # A convolution sums over positions before squaring: images of two positions, one channel.
    conv = conv1x1([[2.0]])
    value = reference.fisher(conv, torch.tensor([[[[1.0, -3.0]]]]), torch.zeros(1), loss=summed)
    assert value == pytest.approx(0.5 * (2 - 6) ** 2)


def test_fisher_adds_the_calls_of_a_shared_layer():
    shared = linear([[2.0]])
    value = reference.fisher(
        nn.Sequential(shared, shared), torch.tensor([[1.0]]), torch.zeros(1), loss=summed
    )
    # First call a = 2, δ = 2; second call a = 4, δ = 1.
    assert value == pytest.approx(0.5 * 16 + 0.5 * 16)


def test_zico_of_two_batches():
    network = linear([[1.0, 1.0, 1.0]])
    first, second = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[3.0, -1.0, 4.0]])
    # (|g¹| + |g²|) / |g¹ − g²|: 4/2, 3/3, and the third does not vary.
    batches = [(first, torch.zeros(1)), (second, torch.zeros(1))]
    assert reference.zico(network, batches, loss=summed) == pytest.approx(math.log(3))
    assert reference.zico(network, batches[:1] * 2, loss=summed) == 0


# Derivatives of the outputs


def test_jacov_of_equal_rows_and_of_uncorrelated_rows():
    n = 5
    equal = -(math.log(n + K) + 1 / (n + K) + (n - 1) * (math.log(K) + 1 / K))
    images = torch.rand(n, 8)
    assert reference.jacov(nn.Linear(8, 3), images) == pytest.approx(equal, rel=1e-6)
    hadamard = torch.tensor([[1.0, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    expected = -3 * (math.log(1 + K) + 1 / (1 + K))
    assert reference.jacov(HalfSquare(), hadamard) == pytest.approx(expected)
    assert math.isnan(reference.jacov(HalfSquare(), torch.zeros(2, 4)))


def test_epe_nas_by_hand():
    x = torch.tensor([[1.0, -1, 1, -1], [1, 1, -1, -1], [2, -2, 2, -2], [5, 1, 2, 0]])
    labels = torch.tensor([3, 3, 7, 1])
    same, different = math.log(1 + K), math.log(K)
    expected = abs(2 * same + 2 * different) + 2 * same
    assert reference.epe_nas(HalfSquare(), x, labels) == pytest.approx(expected)
    soft = nn.functional.one_hot(labels, 10).float()
    assert reference.epe_nas(HalfSquare(), x, soft) == pytest.approx(expected)
    assert reference.epe_nas(HalfSquare(100), x, labels) == pytest.approx(expected)
    # Classes of a single image count, if only just.
    alone = reference.epe_nas(HalfSquare(), x, torch.arange(4))
    assert alone == pytest.approx(4 * same, rel=1e-9)
    # More than 100 classes: per image, without classes of one, differences in both orders.
    pairs, labels = x[[0, 2, 0, 1, 3]], torch.tensor([0, 0, 1, 1, 2])
    expected = 2 * abs(2 * same - (same + different)) / 2
    assert reference.epe_nas(HalfSquare(101), pairs, labels) == pytest.approx(expected)
    assert reference.epe_nas(HalfSquare(101), x[:2], torch.tensor([0, 1])) == 0


def test_ntk_of_linear_models_and_by_full_jacobian():
    images = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    expected = np.linalg.cond(images.double().numpy()) ** 2
    assert reference.ntk(nn.Linear(6, 3), images) == pytest.approx(expected, rel=1e-4)
    network = networks.plain_cnn().double()
    images = networks.batch("plain_cnn", 4, seed=0)[0].double()
    names = [n for n, _ in network.named_parameters() if "weight" in n]
    rows = torch.autograd.functional.jacobian(
        lambda *w: torch.func.functional_call(
            network, dict(zip(names, w, strict=True)), (images,)
        ).sum(1),
        tuple(network.get_parameter(n) for n in names),
    )
    G = torch.cat([r.flatten(1) for r in rows], dim=1).numpy()
    kappa = reference.ntk(network, images, double=True)
    assert kappa == pytest.approx(np.linalg.cond(G @ G.T))
