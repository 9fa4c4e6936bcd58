"""What was made fast, against the plain way of doing it: integers and bits must be equal."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from harness import engine
from harness.inputs import InputSettings, load_batch
from harness.passes import Run
from harness.passes.patterns import (
    BLOCK,
    Agreement,
    DistinctPatterns,
    differing,
    differing_by_product,
    flat,
    pack,
    pack_neurons,
    positive,
)
from harness.spaces import spaces
from harness.tasks import tasks

SHAPES = st.tuples(st.integers(1, 130), st.integers(1, 300))
SPECIAL = [0.0, -0.0, math.nan, math.inf, -math.inf, 1e-45, -1e-45, 1.0, -1.0]
# Many convolutions, none at all, and a cell that lets nothing through.
CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
    "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|skip_connect~1|avg_pool_3x3~2|",
    "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|",
]


def random_bits(shape: tuple[int, int], seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(shape) < 0.4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_positive_is_the_comparison_itself(dtype):
    values = torch.tensor(SPECIAL).repeat(5).reshape(9, 5).to(dtype)
    for x in (values, values.T, values[1:, ::2], values.clone().requires_grad_(True)):
        bits = positive(x)
        assert bits.dtype == torch.bool
        assert torch.equal(bits, x > 0)


@given(SHAPES)
@example((63, 1))
@example((64, 8))
@example((130, 300))
def test_packed_words_are_sums_of_powers(shape):
    bits = random_bits(shape)
    expected = [
        [sum(int(b) << i for i, b in enumerate(column)) for column in chunk.T.tolist()]
        for chunk in torch.split(bits, 63)
    ]
    assert pack(bits).tolist() == expected


@given(SHAPES)
@example((2, 64))
@example((2, 65))
def test_differing_words_are_differing_bits(shape):
    bits = random_bits(shape)
    plain = (bits[:, None] != bits[None, :]).sum(dim=2).double()
    assert np.array_equal(differing(pack_neurons(bits)), plain)
    assert torch.equal(differing_by_product(bits), plain)


def test_agreement_of_more_neurons_than_are_compared_at_once():
    layers = [random_bits((5, width), seed=width) for width in (BLOCK + 3, 7, BLOCK // 2, 9)]
    agreement = Agreement()
    for bits in layers:
        agreement.add(bits)
    whole = torch.cat(layers, dim=1)
    assert agreement.units == whole.shape[1]
    expected = (whole[:, None] == whole[None, :]).sum(dim=2).double()
    assert torch.equal(agreement.matrix, expected)
    assert torch.equal(agreement.matrix, expected)  # asking twice counts nothing twice
    agreement.add(layers[1])
    once_more = (layers[1][:, None] == layers[1][None, :]).sum(dim=2)
    assert torch.equal(agreement.matrix, expected + once_more)


def test_nothing_agrees_before_the_first_layer():
    assert Agreement().matrix is None
    assert DistinctPatterns(16).count() == 0


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("key", CELLS)
def test_counts_on_cells_equal_the_plain_definitions(key, channels_last):
    """The plain way: keep every ReLU's output, compare, unique rows, two products."""
    network = spaces.get("nb201").build(key, "digits", seed=0)
    batch = load_batch(tasks.get("digits"), InputSettings(), seed=0, size=20)
    batch = batch.to("cpu", channels_last=channels_last)
    names = ["swap", "nwot", "activation_patterns"]
    scores = engine.score(Run(network, batch), names)

    few, whole = (relu_signs(network, batch.images[:n]) for n in (16, 20))
    assert scores["swap"].value == len(np.unique(few.T, axis=0))
    assert scores["activation_patterns"].value == len(np.unique(whole, axis=0))
    b = whole.astype(float)
    sign, logdet = np.linalg.slogdet(b @ b.T + (1 - b) @ (1 - b).T)
    if sign > 0:
        assert scores["nwot"].value == pytest.approx(logdet, rel=1e-12)
    else:
        assert scores["nwot"].status == "undefined"


def relu_signs(network: nn.Module, images: torch.Tensor) -> np.ndarray:
    outputs = []
    hooks = [
        module.register_forward_hook(lambda _, __, output: outputs.append(flat(output) > 0))
        for module in network.modules()
        if isinstance(module, nn.ReLU)
    ]
    with torch.no_grad():
        network.train()(images)
    for hook in hooks:
        hook.remove()
    return torch.cat(outputs, dim=1).numpy()


class Modes(nn.Module):
    """Refuses to train its norm, as fine-tuned networks do, and tells in which mode it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.seen = []

    def train(self, mode: bool = True) -> "Modes":
        super().train(mode)
        self.norm.training = False
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((self.training, self.norm.training))
        return self.norm(x).mean(dim=(2, 3))


@pytest.mark.parametrize("before", [True, False])
def test_a_network_that_decides_its_own_modes_is_asked(before):
    network = Modes()
    network.train(before)
    network.norm.training = True  # by hand, and to be found again
    run = Run(network, load_batch(tasks.get("digits"), InputSettings(), seed=0, size=4))
    with run.undisturbed("test"):
        run.trace()
        network(run.batch.images)
    assert network.seen == [(False, False), (True, False)]
    assert (network.training, network.norm.training) == (before, True)


@pytest.mark.parametrize("before", [True, False])
def test_modes_of_plain_networks(before):
    seen = []
    network = nn.Sequential(nn.Sequential(nn.Dropout(0.5)), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network.register_forward_hook(lambda *_: seen.append({m.training for m in network.modules()}))
    network.train(before)[1].train(not before)
    run = Run(network, load_batch(tasks.get("digits"), InputSettings(), seed=0, size=4))
    with run.undisturbed("test"):
        run.trace()
        network(run.batch.images)
    assert seen == [{False}, {True}]
    assert [m.training for m in network.modules()] == [before, before, before, not before, before]
