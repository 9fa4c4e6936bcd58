"""Every proxy on networks that are built today: its literal definition's value, or a reason."""

import copy
import math

import pytest
import torch
from references import proxies as reference
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness import api
from harness.core import seeds
from harness.core.types import Batch
from harness.passes.further_settings import VkdnwSettings
from harness.passes.linear_regions import _crops, _places
from harness.passes.logit_jacobian import LogitJacobian, logit_jacobian
from harness.passes.run import Run
from harness.passes.settings import LinearRegionSettings
from harness.passes.weighted_layers import gaussian_parameters, kaiming_parameters
from harness.proxies.contract import populations

N, CLASSES, WIDTH = 8, 3, 8


class SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, 2, WIDTH // 2)).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Mixes tokens, then channels."""

    def __init__(self, mixer: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mixer = mixer
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), activation, nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(self.first(x))
        return x + self.mlp(self.second(x))


class VisionTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 2, stride=2)
        self.token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.randn(1, 17, WIDTH))
        self.blocks = nn.Sequential(*(Block(SelfAttention(), nn.GELU()) for _ in range(2)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class TokenMixing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, 12), nn.GELU(), nn.Linear(12, 16))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.transpose(1, 2)).transpose(1, 2)


class Mixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 2, stride=2)
        self.blocks = nn.Sequential(*(Block(TokenMixing(), nn.GELU()) for _ in range(2)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(dim=1))


class Decoder(nn.Module):
    """A language model's layers on embedded tokens: N×L×C."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, 6, WIDTH))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(5))
        self.attentions = nn.ModuleList(
            nn.MultiheadAttention(WIDTH, 2, batch_first=True) for _ in range(2)
        )
        self.up = nn.ModuleList(nn.Linear(WIDTH, 4 * WIDTH) for _ in range(2))
        self.down = nn.ModuleList(nn.Linear(4 * WIDTH, WIDTH) for _ in range(2))
        self.head = nn.Linear(WIDTH, CLASSES, bias=False)
        self.mask = torch.ones(6, 6, dtype=torch.bool).triu(1)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.positions
        for i, attention in enumerate(self.attentions):
            y = self.norms[2 * i](x)
            x = x + attention(y, y, y, attn_mask=self.mask, need_weights=False)[0]
            x = x + self.down[i](functional.gelu(self.up[i](self.norms[2 * i + 1](x))))
        return self.head(self.norms[4](x)[:, -1])


class Residual(nn.Module):
    """A residual network of functions, or of modules that do the same."""

    def __init__(self, *, modules: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTH, 3, padding=1, bias=False)
        self.convs = nn.ModuleList(
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False) for _ in range(4)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(WIDTH) for _ in range(5))
        self.head = nn.Linear(WIDTH, CLASSES)
        self.relus = nn.ModuleList(nn.ReLU() for _ in range(5)) if modules else None
        self.pool = nn.AdaptiveAvgPool2d(1) if modules else None

    def relu(self, i: int, x: Tensor) -> Tensor:
        return functional.relu(x) if self.relus is None else self.relus[i](x)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(0, self.norms[0](self.stem(x)))
        for i in (0, 2):
            y = self.relu(i + 1, self.norms[i + 1](self.convs[i](x)))
            x = self.relu(i + 2, x + self.norms[i + 2](self.convs[i + 1](y)))
        x = functional.avg_pool2d(x, x.shape[-1]) if self.pool is None else self.pool(x)
        return self.head(x.flatten(1))


class Mapping(nn.Module):
    """Returns its features beside the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, WIDTH, 3), nn.BatchNorm2d(WIDTH), nn.ReLU())
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.body(x)
        return {"features": features, "logits": self.head(self.pool(features).flatten(1))}


MAKERS = {
    "ViT": VisionTransformer,
    "mixer": Mixer,
    "decoder": Decoder,
    "functional": lambda: Residual(modules=False),
    "mapping": Mapping,
}
SCORES_ONCE = {}
LITERAL = [
    "grad_norm",
    "snip",
    "plain",
    "grasp",
    "fisher",
    "jacov",
    "epe_nas",
    "l2_norm",
    "synflow",
]
BITS = ["nwot", "swap", "activation_patterns", "reg_swap", "linear_regions"]


def network_of(name: str) -> nn.Module:
    torch.manual_seed(3)
    return MAKERS[name]().double()


def batch_of(name: str, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (N, 6, WIDTH) if name == "decoder" else (N, 3, 8, 8)
    images = torch.randn(shape, generator=generator, dtype=torch.float64)
    return images, torch.arange(N) % CLASSES


def scores_of(name: str) -> dict[str, api.Score]:
    if name not in SCORES_ONCE:
        second = api.Batch(*batch_of(name, seed=1))
        batch = api.Batch(*batch_of(name), second=second)
        settings = [api.RegulariserSettings(1.0, 1.0), api.SwapSettings(images=N)]
        SCORES_ONCE[name] = api.score(network_of(name), batch, settings=settings)
    return SCORES_ONCE[name]


def literal(name: str) -> nn.Module:
    """Returns the network for the references: modules for every layer, one tensor as output."""
    torch.manual_seed(3)
    if name == "functional":
        return Residual(modules=True).double()
    network = network_of(name)
    if name == "mapping":
        network.register_forward_hook(lambda _, __, output: output["logits"])
    return network


@pytest.mark.parametrize("name", MAKERS)
def test_every_proxy_has_a_value_or_a_reason(name):
    scores = scores_of(name)
    assert set(scores) == set(api.proxies) - set(populations)
    for proxy, score in scores.items():
        assert score.status in ("ok", "undefined"), (proxy, score)
        assert (score.message == "") == (score.status == "ok") == math.isfinite(score.value), proxy
    undefined = {proxy for proxy, score in scores.items() if score.status == "undefined"}
    expected = {"az_expressivity", "az_progressivity", "az_trainability", "wrcor"}
    if name in ("ViT", "mixer", "decoder"):
        expected |= {*BITS, "l_swag"}
    if name != "ViT":
        expected |= {"dss"}
    if name == "decoder":
        expected.add("eznas_a")
    if name == "ViT":
        assert "no ReLU" in scores["swap"].message
        assert "pixels" in scores["linear_regions"].message
    assert undefined - {"gradsign", "ntk", "eps"} == expected


@pytest.mark.parametrize("proxy", LITERAL)
@pytest.mark.parametrize("name", MAKERS)
def test_gradients_equal_the_literal_definition(name, proxy):
    options = {} if proxy in ("l2_norm", "synflow") else {"double": True}
    with sdpa_kernel(SDPBackend.MATH):  # the others have no second derivative
        expected = getattr(reference, proxy)(literal(name), *batch_of(name), **options)
    assert scores_of(name)[proxy].value == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("name", MAKERS)
def test_zico_gradsign_and_the_tangent_kernel(name):
    scores, network = scores_of(name), literal(name)
    batches = [batch_of(name, seed) for seed in (0, 1)]
    expected = {
        "zico": reference.zico(network, batches, double=True),
        "ntk": -reference.ntk(network, *batches[0], double=True),
    }
    if scores["gradsign"].status == "ok":
        expected["gradsign"] = reference.gradsign(network, *batches[0], double=True)
    for proxy, value in expected.items():
        assert scores[proxy].value == pytest.approx(value, rel=1e-6), proxy


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "mapping"])
def test_logits_by_classes_change_as_those_by_parameters(name):
    run = Run(network_of(name), Batch(*batch_of(name)), (), frozenset({LogitJacobian}))
    every, two = (
        logit_jacobian(run, VkdnwSettings(parameters=n))[LogitJacobian].jacobian for n in (99, 2)
    )
    torch.testing.assert_close(every[:, :, :2], two)
    assert float(every.abs().max()) > 0


@pytest.mark.parametrize("proxy", ["nwot", "swap", "activation_patterns"])
@pytest.mark.parametrize("name", ["functional", "mapping"])
def test_patterns_equal_the_literal_definition(name, proxy):
    expected = getattr(reference, proxy)(literal(name), *batch_of(name), double=True)
    assert scores_of(name)[proxy].value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_params_are_all_parameters(name):
    expected = sum(p.numel() for p in network_of(name).parameters()) / 1e6
    assert scores_of(name)["params"].value == expected


@pytest.mark.parametrize("name", ["functional", "mapping", "ViT", "mixer"])
def test_meco_equals_the_literal_definition(name):
    expected = reference.meco(literal(name), *batch_of(name), double=True)
    assert scores_of(name)["meco"].value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", MAKERS)
def test_zen_equals_the_literal_definition(name):
    network, (images, _) = literal(name), batch_of(name)
    with seeds.torch_stream("zen", "api", 0):
        drawn = gaussian_parameters(network)
        noise = [torch.randn_like(images) for _ in range(2)]
    state = {**copy.deepcopy(network.state_dict()), **drawn}
    tap = None if name in ("functional", "mapping") else "head"
    expected = reference.zen(network, *noise, state, tap=tap, double=True)
    assert scores_of(name)["zen"].value == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", MAKERS)
def test_flops_equal_the_literal_definition(name):
    expected = reference.flops(network_of(name), *batch_of(name))
    assert scores_of(name)["flops"].value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["functional", "mapping"])
def test_regularised_swap_and_linear_regions(name):
    network, (images, _) = literal(name), batch_of(name)
    swap = reference.reg_swap(network, images, mu=1.0, sigma=1.0, unit=1e6, double=True)
    assert scores_of(name)["reg_swap"].value == pytest.approx(swap, rel=1e-12)
    settings = LinearRegionSettings()
    with seeds.torch_stream("linear regions", "api", 0):
        state = kaiming_parameters(network, mode="fan_in")
        crops = [
            _crops(images, _places(images, settings, 3), settings.size)
            for _ in range(settings.batches)
        ]
    network.load_state_dict(state, strict=False)
    regions = reference.linear_regions(
        network.train(), torch.cat(crops), batch_size=settings.samples, double=True
    )
    assert scores_of(name)["linear_regions"].value == pytest.approx(regions, rel=1e-9)


@pytest.mark.parametrize("name", ["functional", "mapping", "ViT", "mixer"])
def test_meco_of_random_channels_equals_the_literal_definition(name):
    def choose(channels: int) -> list[int]:
        return torch.randperm(channels)[:8].tolist() if channels >= 8 else list(range(channels))

    network, (images, _) = literal(name), batch_of(name)
    with seeds.torch_stream("meco", "api", 0):
        expected = reference.meco_opt(network, images, choose=choose, double=True)
    assert scores_of(name)["meco_opt"].value == pytest.approx(expected, rel=1e-6)


def test_near_of_functions_equals_that_of_modules():
    network, (images, labels) = literal("functional"), batch_of("functional")
    with seeds.torch_stream("near", "api", 0):

        def start(rows: int, columns: int, last: int) -> int:
            return int(torch.randint((rows - columns) // last + 1, ())) * last

        expected = reference.near(network, images, labels, start=start, double=True)
    assert scores_of("functional")["near"].value == pytest.approx(expected, rel=1e-6)
