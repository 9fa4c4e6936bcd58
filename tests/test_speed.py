"""What was made fast, against the plain way of doing it: integers and bits must be equal."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from harness.core.sections import Settings
from harness.inputs.batch import load_batch
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes.patterns import (
    Agreement,
    DistinctPatterns,
    agreement,
    flat,
    pack,
    positive,
    product_of_floats,
    product_of_padded_bytes,
    watching_relus,
)
from harness.passes.run import Run
from harness.passes.settings import SwapSettings
from harness.scoring import engine
from harness.spaces.space import spaces

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
@example((1, 1))
@example((2, 64))
@example((2, 65))
def test_agreement_is_its_definition(shape):
    bits = random_bits(shape)
    expected = (bits[:, None] == bits[None, :]).sum(dim=2).double()
    assert torch.equal(agreement(bits), expected)
    products = bits.double() @ bits.double().T
    assert torch.equal(product_of_floats(bits), products)
    assert torch.equal(product_of_padded_bytes(bits), products)


def test_agreement_is_exact_beyond_bytes_and_in_any_layout():
    x = torch.ones(2, 3, 300, 400)
    x[1, 0] = -1
    both = 360_000
    for layout in (torch.contiguous_format, torch.channels_last):
        counted = agreement(positive(flat(x.contiguous(memory_format=layout))))
        assert counted.tolist() == [[both, both - 120_000], [both - 120_000, both]]


def test_agreement_of_several_layers():
    layers = [random_bits((5, width), seed=width) for width in (130, 7, 1)]
    counted = Agreement()
    for bits in [*layers, layers[0]]:  # one object may come twice, and counts twice
        counted.add(bits)
    whole = torch.cat([*layers, layers[0]], dim=1)
    assert counted.units == whole.shape[1]
    assert torch.equal(counted.matrix, (whole[:, None] == whole[None, :]).sum(dim=2).double())


class Branches(nn.Module):
    """Two ReLUs read one tensor, which is then written to and read again."""

    def __init__(self):
        super().__init__()
        self.relus = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.LeakyReLU(), nn.ReLU()])

    def forward(self, x):
        first, second, leaky = (relu(x) for relu in self.relus[:3])
        x.neg_()
        return first + second + leaky + self.relus[3](x)


def test_relus_that_read_the_same_tensor_share_their_bits():
    seen = []
    network, x = Branches(), torch.tensor([[1.0, -1.0, 0.0]])
    with watching_relus(network, lambda module, x, bits: seen.append(bits)):
        network(x)
    first, second, leaky, after = seen
    assert first is second
    assert leaky is not first
    assert [bits.tolist() for bits in seen[1:]] == [
        [[True, False, False]],
        [[True, False, False]],
        [[False, True, False]],
    ]
    assert after is not first


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
    scores = engine.score(Run(network, batch), names, Settings(SwapSettings(images=16)))

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
