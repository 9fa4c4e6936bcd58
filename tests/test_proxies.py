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

from harness import api, engine, seeds
from harness.errors import HarnessError
from harness.passes import MecoSettings, RegulariserSettings, Run, Settings, SwapSettings
from harness.passes.features import boundaries
from harness.passes.layers import gaussian_parameters, kaiming_parameters
from harness.proxies import populations, proxies
from harness.types import Batch

N = 12
NAMES = sorted(networks.ZOO)
SAME_ARGUMENTS = [
    "activation_patterns", "epe_nas", "fisher", "flops", "grad_norm", "gradsign", "grasp", "jacov",
    "l2_norm", "meco", "nwot", "params", "plain", "snip", "swap", "synflow",
]  # fmt: skip
SIZES = ("params", "flops", "l2_norm", "synflow")  # computed in one precision


def a_case(name, *, double=True):
    network = networks.ZOO[name][0]()
    images, labels = networks.batch(name, N, seed=0)
    if double:
        network, images = network.double(), images.double()
    return network, images, labels


def a_score(name, network, images, labels, **options):
    run = Run(network, Batch(images, labels, **options), Settings(), ("test",))
    return engine.score(run, [name])[name]


@pytest.mark.parametrize("network_name", NAMES)
@pytest.mark.parametrize("name", SAME_ARGUMENTS)
def test_proxy_equals_its_literal_definition(name, network_name):
    network, images, labels = a_case(network_name)
    original = networks.ZOO[network_name][0]()
    inputs = networks.batch(network_name, N, seed=0)
    options = {} if name in SIZES else {"double": True}
    expected = getattr(reference, name)(original, *inputs, **options)
    score = a_score(name, network, images, labels)
    undefined = not math.isfinite(expected) or (name == "synflow" and expected == 0)
    if name in ("swap", "activation_patterns") and network_name == "mlp":
        assert score.status == ("ok" if name == "swap" else "undefined")
        return
    assert score.status == ("undefined" if undefined else "ok"), score
    if not undefined:
        assert score.value == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("network_name", NAMES)
@pytest.mark.parametrize("name", ["grad_norm", "snip", "fisher", "nwot", "swap", "jacov"])
def test_single_precision_is_close(name, network_name):
    network, images, labels = a_case(network_name, double=False)
    expected = getattr(reference, name)(network, images, labels)
    score = a_score(name, network, images, labels)
    if score.status == "ok":
        assert score.value == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", ["swap", "nwot"])
def test_bits_survive_a_sum_that_overwrites_the_relu(name):
    network = networks.overwritten_relu()
    images, labels = networks.batch("overwritten_relu", N, seed=0)
    expected = getattr(reference, name)(network, images, labels)
    assert a_score(name, network, images, labels).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("network_name", NAMES)
def test_zico(network_name):
    network, images, labels = a_case(network_name)
    second = networks.batch(network_name, N, seed=1)
    batches = [(images.float(), labels), second]
    original = networks.ZOO[network_name][0]()
    expected = reference.zico(original, batches, double=True)
    score = a_score("zico", network, images, labels, second=Batch(second[0].double(), second[1]))
    if score.status == "undefined":
        assert expected == 0
    else:
        assert score.value == pytest.approx(expected, rel=1e-6)


def test_zico_without_a_second_batch_says_so():
    score = a_score("zico", *a_case("plain_cnn"))
    assert score.status == "undefined"
    assert "second" in score.message


@pytest.mark.parametrize("network_name", NAMES)
def test_ntk(network_name):
    network, images, labels = a_case(network_name)
    score = a_score("ntk", network, images, labels)
    original = networks.ZOO[network_name][0]()
    expected = reference.ntk(original, images.float(), labels, double=True)
    if score.status == "ok":
        assert score.value == pytest.approx(-expected, rel=1e-6)
    else:
        assert not 0 < expected < 1e12


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
    settings = Settings(meco=MecoSettings(channels=3))
    with seeds.torch_stream("meco", "test"):
        expected = reference.meco_opt(
            network, images, labels, choose=lambda c: torch.randperm(c)[:3].tolist(), double=True
        )
    score = engine.score(Run(network, Batch(images, labels), settings, ("test",)), ["meco_opt"])
    assert score["meco_opt"].value == pytest.approx(expected)


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
    network, images, labels = a_case("plain_cnn")
    settings = Settings(regulariser=RegulariserSettings(mu=0.5, sigma=0.7, unit=1e3))
    score = engine.score(Run(network, Batch(images, labels), settings), ["reg_swap"])["reg_swap"]
    original = networks.ZOO["plain_cnn"][0]()
    expected = reference.reg_swap(
        original, images.float(), labels, mu=0.5, sigma=0.7, unit=1e3, double=True
    )
    assert score.value == pytest.approx(expected, rel=1e-12)


def test_gaussian_swap_counts_a_network_with_gaussian_weights():
    network, images, labels = a_case("plain_cnn")
    settings = Settings(swap=SwapSettings(images=N, repeats=1, init="gaussian"))
    run = Run(network, Batch(images, labels), settings, ("test",))
    with seeds.torch_stream("swap", "test"):
        drawn = gaussian_parameters(network)
    literal = copy.deepcopy(network)
    literal.load_state_dict(drawn, strict=False)
    expected = reference.swap(literal, images, labels)
    assert engine.score(run, ["swap"])["swap"].value == expected


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
    network, images, labels = a_case("plain_cnn")
    before = api.score(network, (images, labels), ["nwot", "swap", "jacov", "snip"])
    conv = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        conv.weight *= scale
        if conv.bias is not None:
            conv.bias *= scale
    after = api.score(network, (images, labels), ["nwot", "swap", "jacov", "snip"])
    for name in before:
        assert after[name].value == pytest.approx(before[name].value, rel=1e-2)


def test_labels_are_needed_and_said_so():
    network, images, _ = a_case("plain_cnn")
    scores = api.score(network, images, ["snip", "nwot", "epe_nas"])
    assert [scores[n].status for n in ("snip", "nwot", "epe_nas")] == [
        "undefined",
        "ok",
        "undefined",
    ]
    assert "needs labels" in scores["snip"].message


def test_unknown_proxy():
    with pytest.raises(HarnessError, match="Did you mean 'synflow'"):
        api.score(*_network_and_images(), proxies=["sinflow"])


def test_a_batch_that_is_none():
    with pytest.raises(HarnessError, match="A batch is"):
        api.score(networks.plain_cnn(), "cifar10", proxies=["params"])


def test_every_proxy_tells_its_formula_and_source():
    for name in proxies:
        doc = proxies.get(name).doc
        assert "Source:" in doc, name
        assert len(doc.splitlines()[0]) < 100, name


def _network_and_images():
    return networks.plain_cnn(), networks.batch("plain_cnn", 4, seed=0)
