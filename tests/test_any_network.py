"""Networks of any make: what a definition counts is counted, and the rest has no number."""

from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from harness import api
from harness.core.errors import HarnessError
from harness.passes import feature_perturbation
from harness.passes.functional_layers import (
    ACTIVATIONS,
    OTHERS,
    WEIGHTED,
    calls_functions_itself,
    has_layers_alone,
    watching_functions,
)
from harness.passes.run import Run
from harness.passes.second_order import fast_second_derivatives
from harness.passes.weighted_layers import with_batch_statistics, without_batch_norm
from harness.scoring import engine

GOLDEN = pd.read_parquet(Path(__file__).parent / "golden" / "scores.parquet")


class Plain(nn.Module):
    """Convolutions whose activations and pooling are modules."""

    def __init__(self, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)
        self.first, self.second = activation(), activation()
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.norm(self.stem(x)))
        x = self.second(x + self.conv(x))
        return self.head(self.pool(x).flatten(1))


class Functional(Plain):
    """The same with functions."""

    def __init__(self, activation=functional.relu, pool=lambda x: x.mean(dim=(2, 3))) -> None:
        super().__init__()
        self.first = self.second = self.pool = None
        self.act, self.pooling = activation, pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.stem(x)))
        x = self.act(x + self.conv(x))
        return self.head(self.pooling(x).flatten(1))


def batch(n: int = 8, size: int = 8, classes: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 3, size, size, generator=generator), torch.arange(n) % classes


RELUS = {
    "relu": functional.relu,
    "torch.relu": torch.relu,
    "method": lambda x: x.relu(),
    "in place": lambda x: functional.relu(x, inplace=True),
    "method in place": lambda x: x.relu_(),
    "clamp": lambda x: x.clamp(min=0),
    "threshold": lambda x: functional.threshold(x, 0.0, 0.0),
    "module that is no part": nn.ReLU(),
}
SIMILAR = {
    "leaky": (lambda x: functional.leaky_relu(x, 0.01), nn.LeakyReLU),
    "relu6": (functional.relu6, nn.ReLU6),
}
PATTERNS = ["swap", "reg_swap", "nwot", "activation_patterns", "linear_regions"]
REGULARISER = [api.RegulariserSettings(1.0, 1.0), api.SwapSettings(images=8)]


@pytest.mark.parametrize("name", RELUS)
def test_functional_relus_count_as_modules_do(name):
    expected = api.score(Plain(), batch(), PATTERNS, settings=REGULARISER)
    found = api.score(Functional(RELUS[name]), batch(), PATTERNS, settings=REGULARISER)
    assert {n: s.value for n, s in found.items()} == {n: s.value for n, s in expected.items()}
    assert {s.status for s in found.values()} == {"ok"}


@pytest.mark.parametrize("name", SIMILAR)
def test_other_rectifiers_count_for_nwot_alone(name):
    function, module = SIMILAR[name]
    expected = api.score(Plain(module), batch(), PATTERNS, settings=REGULARISER)
    found = api.score(Functional(function), batch(), PATTERNS, settings=REGULARISER)
    assert found["nwot"].value == expected["nwot"].value > 0
    for scores in (found, expected):
        for proxy in set(PATTERNS) - {"nwot"}:
            assert scores[proxy].status == "undefined"
            assert "no ReLU" in scores[proxy].message


@pytest.mark.parametrize(
    "activation", [functional.gelu, functional.silu, torch.tanh, lambda x: x.clamp(-1, 1)]
)
def test_no_pattern_without_a_relu(activation):
    scores = api.score(Functional(activation), batch(), PATTERNS, settings=REGULARISER)
    assert {score.status for score in scores.values()} == {"undefined"}
    assert all("no ReLU" in score.message for score in scores.values())


POOLS = {
    "mean": lambda x: x.mean(dim=(2, 3)),
    "negative axes": lambda x: torch.mean(x, [-1, -2], keepdim=True),
    "adaptive": lambda x: functional.adaptive_avg_pool2d(x, 1),
    "one axis after the other": lambda x: x.mean(-1).mean(-1),
    "in channels-last order": lambda x: x.permute(0, 2, 3, 1).mean((1, 2)),
    "module": nn.AvgPool2d(8),
    "whole map": lambda x: functional.avg_pool2d(x, 8),
}


@pytest.mark.parametrize("pool", POOLS)
def test_zen_taps_the_map_before_functional_pooling(pool):
    expected = api.score(Plain(), batch(), ["zen"])["zen"]
    found = api.score(Functional(pool=POOLS[pool]), batch(), ["zen"])["zen"]
    assert (found.status, found.value) == ("ok", expected.value)


def test_zen_looks_past_the_pooling_of_a_gate():
    def gated(x: Tensor) -> Tensor:
        return functional.relu(x) * x.mean((2, 3), keepdim=True).sigmoid()

    with_pooling, without = (
        api.score(Functional(gated, pool), batch(), ["zen"])["zen"].value
        for pool in (POOLS["mean"], POOLS["adaptive"])
    )
    assert with_pooling == without


def test_features_of_functions_count_as_those_of_modules():
    names = ["meco", "meco_opt", "near"]
    pool = POOLS["adaptive"]
    expected = api.score(Plain(), batch(), names)
    found = api.score(Functional(pool=pool), batch(), names)
    for name in names:
        assert found[name].value == pytest.approx(expected[name].value, rel=1e-9), name


@pytest.mark.parametrize("name", GOLDEN.space.unique())
def test_networks_of_the_spaces_call_no_function_in_place_of_a_layer(name):
    space, task, _, key = GOLDEN[GOLDEN.space == name].iloc[0][["space", "task", "batch", "key"]]
    network = api.spaces.get(space).build(key, task, seed=0).eval()
    assert has_layers_alone(network)
    seen = []
    own = [module for module in network.modules() if calls_functions_itself(module)]
    kinds = ACTIVATIONS | WEIGHTED | OTHERS
    watched = nn.ModuleList([network, Functional()])  # not known to have layers alone
    inputs = api.InputSettings("gaussian", channels=1 if name == "darts_swap_c1" else None)
    tokens = api.tasks.get(task).tokens
    images = api.batch(task, inputs=None if tokens else inputs, size=2).images
    with torch.no_grad(), watching_functions(watched, kinds, own, lambda *call: seen.append(call)):
        network(images)
    assert seen == []


class Attention(nn.Module):
    """A transformer block behind a convolution, with a position embedding and a class token."""

    def __init__(self, fused: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.positions = nn.Parameter(torch.randn(1, 5, 8))
        self.unused = nn.Parameter(torch.randn(100))
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 5)
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.positions
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=not self.fused)[0]
        return self.head(x[:, 0])


LABELLED = ["snip", "grad_norm", "plain", "grasp", "fisher", "zico", "gradsign"]


def statuses(scores) -> dict[str, str]:
    return {name: f"{s.status} {s.message}" for name, s in scores.items() if s.status != "ok"}


def test_every_parameter_that_runs_counts_once():
    network = Attention()
    used = sum(p.numel() for n, p in network.named_parameters() if n != "unused")
    assert api.score(network, batch(), ["params"])["params"].value == used / 1e6
    tied = nn.Sequential(nn.Flatten(), nn.Linear(192, 192), nn.Linear(192, 192))
    tied[2].weight = tied[1].weight
    assert api.score(tied, batch(), ["params"])["params"].value == (192 * 192 + 2 * 192) / 1e6
    encoder = nn.Sequential(
        nn.Flatten(2), nn.TransformerEncoderLayer(64, 4, 32, batch_first=True), nn.Flatten()
    )
    used = sum(p.numel() for p in encoder.parameters())
    assert api.score(encoder, batch(), ["params"])["params"].value == used / 1e6


def test_second_derivatives_of_attention_take_nothing_else_along():
    names = [name for name in LABELLED if name != "zico"]
    fused = api.score(Attention(), batch(), names)
    assert statuses(fused) == {}
    plain = api.score(Attention(fused=False), batch(), names)
    for name in set(names) - {"gradsign"}:
        assert fused[name].value == pytest.approx(plain[name].value, rel=1e-3, abs=1e-6), name


class Once(torch.autograd.Function):
    """The identity, which can be differentiated once."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        if torch.is_grad_enabled():
            raise RuntimeError("there is no second derivative")
        return g.clone()


class OnlyOnce(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return Once.apply(super().forward(x))


def test_one_failing_proxy_leaves_the_others():
    names = ["grasp", "snip", "grad_norm", "nwot", "jacov", "fisher"]
    scores = api.score(OnlyOnce(), batch(), names)
    assert scores.pop("grasp").status == "error"
    assert statuses(scores) == {}
    expected = api.score(OnlyOnce(), batch(), names[1:])
    assert {n: s.value for n, s in scores.items()} == {n: s.value for n, s in expected.items()}


LOOSE = {"zico": 0.02, "grasp": 1e-3}  # badly conditioned
COMPUTED = {
    "weight norm": parametrizations.weight_norm,
    "older weight norm": nn.utils.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
    "older spectral norm": nn.utils.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "pruned": lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
}


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("name", COMPUTED)
def test_computed_weights_count_as_layers_use_them(name):
    network, plain = Plain(), Plain()
    network.conv, network.head = COMPUTED[name](network.conv), COMPUTED[name](network.head)
    network.eval()
    with torch.no_grad():
        network(batch()[0])
        for layer in ("conv", "head"):
            getattr(plain, layer).weight.copy_(getattr(network, layer).weight)
    network.train()
    before = {n: t.clone() for n, t in [*network.named_parameters(), *network.named_buffers()]}
    images, labels = batch()
    second = api.Batch(images.flip(0), labels)
    both = api.Batch(images, labels, second=second)
    names = [*LABELLED, "l2_norm", "synflow", "nwot", "swap", "zen", "jacov", "meco", "near", "ntk"]
    found, expected = (api.score(one, both, [*names, "flops"]) for one in (network, plain))
    assert statuses(found) == statuses(expected)
    for proxy, score in expected.items():
        assert found[proxy].value == pytest.approx(score.value, rel=LOOSE.get(proxy, 1e-5)), proxy
    own = sum(p.numel() for p in network.parameters())
    assert api.score(network, both, ["params"])["params"].value == own / 1e6
    after = dict([*network.named_parameters(), *network.named_buffers()])
    assert before.keys() == after.keys()
    assert all(torch.equal(before[n], after[n]) for n in before)


NAMES = [
    *LABELLED,
    "nwot",
    "swap",
    "jacov",
    "epe_nas",
    "zen",
    "meco",
    "meco_opt",
    "near",
    "l2_norm",
]
NAMES += ["synflow", "ntk", "linear_regions", "activation_patterns", "reg_swap"]
WHERE = {
    "images": lambda n, i, y: i[0, 0, 0, 0].fill_(float("nan")),
    "infinite image": lambda n, i, y: i[0, 0, 0, 0].fill_(float("inf")),
    "weights": lambda n, i, y: n.conv.weight.data[0, 0, 0, 0].fill_(float("nan")),
    "norm": lambda n, i, y: n.norm.running_mean.fill_(float("nan")),
    "ignored label": lambda n, i, y: y[0].fill_(-100),
    "negative label": lambda n, i, y: y[0].fill_(-1),
    "label too large": lambda n, i, y: y[0].fill_(5),
}


@pytest.mark.parametrize("where", WHERE)
def test_what_is_no_number_gives_none(where):
    network, (images, labels) = Plain(), batch()
    second = api.Batch(images.flip(0), labels)
    WHERE[where](network, images, labels)
    scores = api.score(
        network, api.Batch(images, labels, second=second), NAMES, settings=REGULARISER
    )
    for name in NAMES:
        proxy = api.proxies.get(name)
        hit = {"weights": True, "norm": True}.get(where, proxy.images)
        hit = proxy.labels if "label" in where else hit
        assert scores[name].status == ("undefined" if hit else "ok"), name
        assert not hit or any(word in scores[name].message for word in ("NaN", "label"))


class Overflows(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).sub(100).sqrt()


def test_an_output_that_is_no_number():
    scores = api.score(Overflows(), batch(), NAMES, settings=REGULARISER)
    assert {n for n, s in scores.items() if s.status == "ok"} == {"l2_norm"}


def test_a_second_batch_without_meaning_counts_for_zico_alone():
    images, labels = batch()
    second = api.Batch(images * float("nan"), labels)
    scores = api.score(Plain(), api.Batch(images, labels, second=second), ["zico", "snip"])
    assert (scores["zico"].status, scores["snip"].status) == ("undefined", "ok")


class Returns(nn.Module):
    """Packs what a network returns."""

    def __init__(self, pack) -> None:
        super().__init__()
        self.network, self.pack = Plain(), pack

    def forward(self, x: Tensor):
        return self.pack(self.network(x))


@dataclass
class Output:
    hidden: Tensor
    logits: Tensor


Pair = namedtuple("Pair", "logits aux")
PACKED = {
    "dict": lambda y: {"out": y},
    "dict with others": lambda y: {"hidden": y * 2, "logits": y},
    "tuple": lambda y: (y,),
    "list": lambda y: [y, None],
    "record": lambda y: Output(y * 2, y),
    "named tuple": lambda y: Pair(y, y * 2),
}


@pytest.mark.parametrize("name", PACKED)
def test_outputs_are_unpacked(name):
    expected = api.score(Returns(lambda y: y), batch(), NAMES, settings=REGULARISER)
    found = api.score(Returns(PACKED[name]), batch(), NAMES, settings=REGULARISER)
    assert {n: s.status for n, s in found.items()} == {n: s.status for n, s in expected.items()}
    for proxy, score in expected.items():
        if score.status == "ok":
            assert found[proxy].value == score.value, proxy


def test_outputs_that_cannot_be_told_apart():
    scores = api.score(Returns(lambda y: (y, y * 2)), batch(), ["snip", "params"])
    assert (scores["snip"].status, scores["params"].status) == ("error", "ok")
    assert scores["snip"].message.startswith("The network returns a tuple of 2 tensors; wrap it")


def compiled_inside(network: nn.Module) -> nn.Module:
    network.conv = torch.compile(network.conv)
    network.head.compile()
    return network


@pytest.mark.parametrize("wrap", [torch.compile, nn.DataParallel, compiled_inside])
def test_wrapped_networks_score_as_what_they_wrap(wrap):
    expected = api.score(Plain(), batch(), NAMES, settings=REGULARISER)
    network = wrap(Plain())
    modules = list(network.modules())
    found = api.score(network, batch(), NAMES, settings=REGULARISER)
    assert {n: (s.status, s.value) for n, s in found.items() if s.status == "ok"} == {
        n: (s.status, s.value) for n, s in expected.items() if s.status == "ok"
    }
    assert all(one is other for one, other in zip(network.modules(), modules, strict=True))


def exported() -> nn.Module:
    return torch.export.export(Plain(), batch()[:1]).module()


def with_buffer(tensor: Tensor) -> nn.Module:
    network = Plain()
    network.register_buffer("more", tensor)
    return network


def quantised() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(Plain().eval(), {nn.Linear})


REFUSED = {
    "quantised": (quantised, "is quantised"),
    "scripted": (lambda: torch.jit.script(Plain()), "is scripted"),
    "scripted inside": (lambda: nn.Sequential(torch.jit.script(nn.ReLU())), "is scripted"),
    "exported": (exported, "exported"),
    "exported inside": (lambda: nn.Sequential(exported()), "exported"),
    "sparse": (lambda: with_buffer(torch.eye(2).to_sparse()), "torch.sparse_coo"),
    "half": (lambda: Plain().half(), "single precision"),
    "bfloat16": (lambda: Plain().bfloat16(), "single precision"),
    "double": (lambda: Plain().double(), "are torch.float64 and the images torch.float32"),
    "meta": (lambda: Plain().to("meta"), "'meta'"),
    "lazy": (lambda: nn.Sequential(nn.LazyConv2d(3, 3)), "lazy"),
    "no network": (lambda: len, "it must be of type Module"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Lazy modules")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_scored_is_refused_in_a_sentence(name):
    make, sentence = REFUSED[name]
    with pytest.raises(HarnessError, match=sentence):
        api.score(make(), batch(), ["params", "snip"])


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (torch.ones(8, 3, 8, 8, dtype=torch.uint8), batch()[1], "images are torch.uint8"),
        (batch()[0], batch()[1][:4], "8 images and 4 labels"),
        (batch()[0][:0], batch()[1][:0], "holds no images"),
        (torch.tensor(1.0), None, "holds no images"),
        (batch()[0].to_sparse(), batch()[1], "images are stored as torch.sparse_coo"),
        (batch()[0], batch()[1].to_sparse(), "labels are stored as torch.sparse_coo"),
        (batch()[0], batch()[1].to("meta"), "images are on cpu and its labels on meta"),
        (batch()[0], batch()[1].cfloat(), "labels are torch.complex64"),
        (batch()[0][:1], torch.tensor(1), "labels are a single number"),
    ],
)
def test_batches_that_are_none_are_refused(images, labels, sentence):
    with pytest.raises(HarnessError, match=sentence):
        api.score(Plain(), (images, labels), ["params"])


def test_a_buffer_of_eight_bits_is_looked_at():
    numbers = torch.ones(2).to(torch.float8_e4m3fn)
    assert api.score(with_buffer(numbers), batch(), ["snip"])["snip"].status == "ok"
    numbers = torch.full((2,), float("nan")).to(torch.float8_e4m3fn)
    score = api.score(with_buffer(numbers), batch(), ["snip"])["snip"]
    assert score.message == "the network's weights hold NaN or infinite numbers"


@pytest.mark.parametrize(
    ("labels", "loss"),
    [
        (batch()[1][:, None], "cross_entropy"),
        (batch()[1].float(), "cross_entropy"),
        (torch.ones(8, 4), "cross_entropy"),
        (torch.ones(8, 1), "mse"),  # torch would repeat it for every output
        (torch.ones(8, 5, 1), "l1"),
    ],
)
def test_labels_of_another_shape_than_the_outputs(labels, loss):
    scores = api.score(Plain(), api.Batch(batch()[0], labels, loss), [*LABELLED, "epe_nas", "swap"])
    assert scores.pop("swap").status == "ok"
    for name, score in scores.items():
        assert score.status == "undefined", name
        assert "shape" in score.message or name == "zico"


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.cfloat])
def test_outputs_of_another_precision(kind):
    scores = api.score(Returns(lambda y: y.to(kind)), batch(), ["snip", "jacov", "near", "l2_norm"])
    assert scores.pop("l2_norm").status == "ok"
    assert {score.message for score in scores.values()} == {
        f"the network's output is {kind}, and scores need single precision"
    }


def test_any_type_of_class_index():
    images, labels = batch()
    for kind in (torch.int32, torch.uint8):
        scores = api.score(Plain(), (images, labels.to(kind)), ["snip"])
        assert scores == {"snip": approximately(api.score(Plain(), batch(), ["snip"])["snip"])}


def approximately(score):
    return api.Score(score.value, score.status, pytest.approx(score.seconds, abs=1e9))


class ByKeyword(Plain):
    def forward(self, x: Tensor) -> Tensor:
        x = self.first(input=self.norm(input=self.stem(input=x)))
        x = self.second(input=x + self.conv(input=x))
        return self.head(input=self.pool(input=x).flatten(1))


def test_arguments_by_keyword():
    found, expected = (api.score(one, batch(), NAMES) for one in (ByKeyword(), Plain()))
    assert statuses(found) == statuses(expected)
    for name, score in expected.items():
        assert score.status != "ok" or found[name].value == score.value, name


class WithoutGradients(Plain):
    def forward(self, x: Tensor) -> Tensor:
        with torch.inference_mode():
            return super().forward(x)


def test_an_output_that_cannot_be_differentiated():
    scores = api.score(WithoutGradients(), batch(), NAMES, settings=REGULARISER)
    assert {score.status for score in scores.values()} == {"ok", "undefined"}
    expected = api.score(Plain(), batch(), NAMES, settings=REGULARISER)
    for name in ("swap", "nwot", "zen", "meco", "near"):
        assert scores[name].value == expected[name].value
    for name in ("snip", "grasp", "jacov", "synflow", "ntk", "gradsign"):
        assert "cannot be differentiated" in scores[name].message


def test_networks_without_layers():
    for network in (nn.Flatten(), nn.Identity(), nn.Sequential(nn.Flatten(), nn.LayerNorm(192))):
        scores = api.score(network, (batch()[0], torch.zeros(8).long()), NAMES)
        for name in ("snip", "l2_norm", "synflow", "swap", "zen"):
            assert scores[name].status == "undefined", name
        assert {score.status for score in scores.values()} <= {"ok", "undefined"}, statuses(scores)


class WritesIntoItsInput(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.sub_(0.5).div_(2))


def test_a_network_that_writes_into_its_input():
    images, labels = batch()
    moved = (images - 0.5) / 2
    names = ["snip", "nwot", "swap", "meco", "l2_norm", "near"]
    found = api.score(WritesIntoItsInput(), (images, labels), names)
    assert torch.equal(images, batch()[0])
    expected = api.score(Plain(), (moved, labels), names)
    for name in names:
        assert found[name].value == pytest.approx(expected[name].value, rel=1e-5), name
    assert api.score(WritesIntoItsInput(), (images, labels), ["jacov"])["jacov"].status == "ok"


class Cells(nn.Module):
    def __init__(self, stem: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.cells = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return self.cells(self.stem(x)).mean(dim=(2, 3))


def test_no_trainability_behind_a_stem_that_is_the_identity():
    names = ["az_trainability", "az_expressivity"]
    scores = api.score(Cells(nn.Identity()), batch(), names)
    assert scores["az_trainability"].status == "undefined"
    assert scores["az_expressivity"].status == "ok"
    whole = api.score(Cells(nn.Conv2d(3, 3, 1)), batch(), names)["az_trainability"]
    assert whole.status == "ok"
    assert whole.value > -1000


CELL = api.spaces.get("darts_swap").spellings["cell"]


@pytest.mark.parametrize("name", ["darts_swap", "darts_swap_c1"])
def test_no_trainability_in_a_space_whose_networks_have_no_stem(name):
    space, channels = api.spaces.get(name), 1 if name == "darts_swap_c1" else None
    network = space.build(CELL, "cifar10", seed=0)
    inputs = api.InputSettings("gaussian", channels=channels)
    run = Run(network, api.batch("cifar10", inputs=inputs, size=4), (), redraw=lambda _: network)
    score = engine.score(run, ["az_trainability"])["az_trainability"]
    assert (score.status, score.message) == (
        "undefined",
        "a cell is the identity or merges tokens, or the stem has no weight",
    )


def test_a_layout_changes_rounding_and_which_noise_is_drawn(monkeypatch):
    images, labels = batch()
    layouts = [images, images.contiguous(memory_format=torch.channels_last)]
    names = ["zen", "swap", "nwot", "snip", "meco"]
    first, second = (api.score(Plain(), (x, labels), names) for x in layouts)
    for name in set(names) - {"zen"}:
        assert first[name].value == pytest.approx(second[name].value, rel=1e-4), name
    assert first["zen"].value != pytest.approx(second["zen"].value, rel=1e-4)
    noise = [torch.randn(images.shape) for _ in range(2)]
    drawn = iter(noise * 2)
    monkeypatch.setattr(feature_perturbation, "noise_like", lambda x: next(drawn) + 0 * x)
    first, second = (api.score(Plain(), (x, labels), ["zen"])["zen"] for x in layouts)
    assert first.value == pytest.approx(second.value, rel=1e-4)


def test_the_layout_of_weights_does_not_decide_which_are_drawn():
    other = Plain().to(memory_format=torch.channels_last)
    first, second = (api.score(one, batch(), ["zen"])["zen"] for one in (Plain(), other))
    assert first.value == pytest.approx(second.value, rel=1e-4)


def test_a_forward_that_somebody_gave_one_module_stays():
    """SynFlow and the vectorised gradients run batch norms in another way for a while."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    own = network[1].forward = lambda x: nn.BatchNorm2d.forward(network[1], x)
    for inner in (without_batch_norm, with_batch_statistics):
        with fast_second_derivatives(network), inner(network):
            network(torch.rand(2, 3, 8, 8))
        assert vars(network[1])["forward"] is own
        assert not any("forward" in vars(network[i]) for i in (0, 2, 3))
