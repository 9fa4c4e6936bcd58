"""Every proxy against an independent, slow, literal implementation of its formula."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from references import networks
from references import proxies as reference
from torch import nn

from harness import api
from harness.core import seeds
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.core.types import Batch
from harness.passes.features import boundaries
from harness.passes.observation import passes
from harness.passes.run import Run
from harness.passes.settings import MecoSettings, RegulariserSettings, SwapSettings
from harness.passes.weighted_layers import gaussian_parameters, kaiming_parameters
from harness.proxies.contract import populations, proxies
from harness.scoring import engine

N = 12
NAMES = sorted(networks.ZOO)
LITERAL = [
    "activation_patterns", "epe_nas", "fisher", "flops", "grad_norm", "gradsign", "grasp", "jacov",
    "l2_norm", "meco", "ntk", "nwot", "params", "plain", "snip", "swap", "synflow", "zico",
]  # fmt: skip
SIZES = ("params", "flops", "l2_norm", "synflow")  # computed in one precision


def a_case(name, *, double=True):
    network = networks.ZOO[name][0]()
    images, labels = networks.batch(name, N, seed=0)
    if double:
        network, images = network.double(), images.double()
    return network, images, labels


def a_score(name, network, images, labels, *settings, second=None):
    run = Run(network, Batch(images, labels, second=second), ("test",))
    return engine.score(run, [name], Settings(*settings))[name]


def scored(name, network_name, *, double=True):
    """Our score; of two minibatches for the proxy that compares them."""
    case = a_case(network_name, double=double)
    images, labels = networks.batch(network_name, N, seed=1)
    return a_score(name, *case, second=Batch(images.to(case[1]), labels))


def defined(name, network_name):
    """The literal definition's value; None where the formula has none."""
    network = networks.ZOO[network_name][0]()
    images, labels = networks.batch(network_name, N, seed=0)
    options = {} if name in SIZES else {"double": True}
    if name == "zico":
        batches = [(images, labels), networks.batch(network_name, N, seed=1)]
        return reference.zico(network, batches, **options) or None
    value = getattr(reference, name)(network, images, labels, **options)
    if name == "ntk":  # beyond that the smallest eigenvalue is rounding
        return -value if 0 < value < 1e12 else None
    if name in ("activation_patterns", "swap") and network_name == "mlp":
        return None
    nothing_flows = name == "synflow" and value == 0
    return value if math.isfinite(value) and not nothing_flows else None


@pytest.mark.parametrize("network_name", NAMES)
@pytest.mark.parametrize("name", LITERAL)
def test_proxy_equals_its_literal_definition(name, network_name):
    expected = defined(name, network_name)
    score = scored(name, network_name)
    assert score.status == ("undefined" if expected is None else "ok"), score
    if expected is not None:
        assert score.value == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("network_name", NAMES)
@pytest.mark.parametrize("name", ["grad_norm", "snip", "fisher", "nwot", "swap", "jacov", "zico"])
def test_single_precision_is_close(name, network_name):
    single, double = (scored(name, network_name, double=double) for double in (False, True))
    assert single.status == double.status
    if double.status == "ok":
        assert single.value == pytest.approx(double.value, rel=1e-3)


@pytest.mark.parametrize("name", ["swap", "nwot"])
def test_bits_survive_a_sum_that_overwrites_the_relu(name):
    network = networks.overwritten_relu()
    images, labels = networks.batch("overwritten_relu", N, seed=0)
    expected = getattr(reference, name)(network, images, labels)
    assert a_score(name, network, images, labels).value == pytest.approx(expected, rel=1e-12)


def test_zico_without_a_second_batch_says_so():
    score = a_score("zico", *a_case("plain_cnn"))
    assert score.status == "undefined"
    assert "second" in score.message


@pytest.mark.parametrize("network_name", NAMES)
def test_zen(network_name):
    network, images, labels = a_case(network_name)
    score = a_score("zen", network, images, labels)
    with seeds.torch_stream("zen", "test"):
        drawn = gaussian_parameters(network)
        x1, x2 = torch.randn_like(images), torch.randn_like(images)
    state = reference.zen_state(networks.ZOO[network_name][0]().double(), seed=0)
    for key, value in drawn.items():
        assert torch.is_tensor(state[key])
        state[key] = value
    leaves = [n for n, m in network.named_modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    tap = leaves[-1] if network_name == "mlp" else None
    expected = reference.zen(network, x1, x2, state, tap=tap, double=True)
    if network_name == "nb201_dead":
        assert (score.status, expected) == ("undefined", -math.inf)
    else:
        assert score.value == pytest.approx(expected, rel=1e-6)


def test_meco_opt():
    network, images, labels = a_case("plain_cnn")
    with seeds.torch_stream("meco", "test"):
        expected = reference.meco_opt(
            network, images, labels, choose=lambda c: torch.randperm(c)[:3].tolist(), double=True
        )
    score = a_score("meco_opt", network, images, labels, MecoSettings(channels=3))
    assert score.value == pytest.approx(expected)


@pytest.mark.parametrize("network_name", NAMES)
def test_near(network_name):
    network, images, labels = a_case(network_name)
    with seeds.torch_stream("near", "test"):

        def start(rows, columns, last):
            return int(torch.randint((rows - columns) // last + 1, ())) * last

        expected = reference.near(network, images, labels, start=start, double=True)
    assert a_score("near", network, images, labels).value == pytest.approx(expected, rel=1e-6)


def test_az_nas_parts():
    network, images, labels = a_case("nb201_mixed")
    features = boundaries(network)
    shapes = []
    for module in features[1:]:
        module.register_forward_hook(lambda _, __, output: shapes.append(output.shape))
    network(images)
    with seeds.torch_stream("az_nas", "test"):
        drawn = kaiming_parameters(network, "fan_in")
        noise = torch.randn_like(images)
        signs = [torch.randint(0, 2, shape).double() * 2 - 1 for shape in shapes]
    literal = copy.deepcopy(network)
    for module in literal.modules():
        module._forward_hooks.clear()
    literal.load_state_dict(drawn, strict=False)
    of = boundaries(literal)
    for name in ("az_expressivity", "az_progressivity", "az_trainability"):
        extra = {"cotangents": signs} if name == "az_trainability" else {}
        expected = getattr(reference, name)(literal, noise, None, features=of, double=True, **extra)
        assert a_score(name, network, images, labels).value == pytest.approx(expected, rel=1e-6)


def test_az_nas_parts_need_cell_boundaries():
    score = a_score("az_expressivity", *a_case("plain_cnn"))
    assert score.status == "undefined"
    assert "stem and cells" in score.message


def test_az_nas_ranks_a_population():
    columns = np.array([[1.0, 5, 2, 9], [2, 5, np.nan, 8], [3, 7, 1, 7]])
    ranks = np.array([[1, 1.5, 3, 3], [2, 1.5, 1, 2], [3, 3, 2, 1]])
    expected = np.log(ranks / 3).sum(axis=1)
    np.testing.assert_allclose(populations.get("az_nas").function(columns), expected)


def test_reg_swap():
    case = a_case("plain_cnn")
    bump = {"mu": 0.5, "sigma": 0.7, "unit": 1e3}
    score = a_score("reg_swap", *case, RegulariserSettings(**bump))
    expected = reference.reg_swap(*a_case("plain_cnn"), **bump, double=True)
    assert score.value == pytest.approx(expected, rel=1e-12)


def test_gaussian_swap_counts_a_network_with_gaussian_weights():
    network, images, labels = a_case("plain_cnn")
    with seeds.torch_stream("swap", "test"):
        drawn = gaussian_parameters(network)
    literal = copy.deepcopy(network)
    literal.load_state_dict(drawn, strict=False)
    expected = reference.swap(literal, images, labels)
    gaussian = SwapSettings(images=N, repeats=1, init="gaussian")
    assert a_score("swap", network, images, labels, gaussian).value == expected
    assert a_score("swap", network, images, labels).value != expected


@pytest.mark.parametrize("network_name", ["nb201_mixed", "plain_cnn"])
@pytest.mark.parametrize("name", ["nwot", "swap", "jacov", "grad_norm", "snip", "fisher", "grasp"])
def test_the_order_of_the_images_does_not_matter(name, network_name):
    network, images, labels = a_case(network_name)
    order = torch.randperm(N)
    straight = a_score(name, network, images, labels)
    shuffled = a_score(name, network, images[order], labels[order])
    assert shuffled.value == pytest.approx(straight.value, rel=1e-7)


@settings(max_examples=15)
@given(st.floats(0.1, 10))
def test_a_layer_before_batch_norm_may_be_scaled(scale):
    """Train-mode batch norm undoes the scale: bits and loss stay, the gradient shrinks."""
    names = ["nwot", "swap", "jacov", "snip"]
    network, images, labels = a_case("plain_cnn")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-12
    before = api.score(network, (images, labels), names)
    with torch.no_grad():
        network[0].weight *= scale
    after = api.score(network, (images, labels), names)
    for name in names:
        assert after[name].value == pytest.approx(before[name].value, rel=1e-6)


def test_a_batch_that_is_none():
    with pytest.raises(HarnessError, match="batch='cifar10' is not possible"):
        api.score(networks.plain_cnn(), "cifar10", proxies=["params"])


def test_every_proxy_tells_its_formula_and_source():
    for name in proxies:
        doc = proxies.get(name).doc
        assert "Source:" in doc, name
        assert len(doc.splitlines()[0]) < 100, name


def test_every_formula_and_pass_has_a_version_raised_by_hand():
    for one in (*proxies.values(), *populations.values(), *passes.values()):
        assert one.definition.isdecimal(), one.name
