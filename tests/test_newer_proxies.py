"""The proxies of 2022 to 2026 against their literal definitions, and what they leave undefined."""

import math

import numpy as np
import pytest
import torch
from references import networks
from references import proxies as reference
from torch import nn

from harness import api
from harness.core import seeds
from harness.core.sections import Settings
from harness.core.types import Batch
from harness.passes.features import boundaries
from harness.passes.further_settings import (
    CurveSettings,
    EpsSettings,
    InTrainSettings,
    LSwagSettings,
    VkdnwSettings,
    ZicoBcSettings,
)
from harness.passes.logit_jacobian import LogitJacobian, logit_jacobian
from harness.passes.output_curve import OutputCurve, output_curve
from harness.passes.run import Run
from harness.passes.settings import GradSignSettings, SwapSettings
from harness.passes.weighted_layers import fresh_buffers, kaiming_parameters
from harness.scoring import engine
from harness.spaces import nb201
from harness.spaces.space import spaces

N = 6
NAMES = sorted(networks.ZOO)


def a_run(name, *, double=True, wanted=frozenset(), loss="cross_entropy"):
    network = networks.ZOO[name][0]()
    batches = [networks.batch(name, N, seed) for seed in (0, 1)]
    if double:
        network = network.double()
        batches = [(images.double(), labels) for images, labels in batches]
    first, second = batches
    return Run(network, Batch(*first, loss, Batch(*second)), ("test",), wanted)


def a_score(proxy, run, *settings):
    return engine.score(run, [proxy], Settings(*settings))[proxy]


def batches_of(run):
    second = run.batch.second
    return [(run.batch.images, run.batch.labels), (second.images, second.labels)]


def literal(proxy, run):
    """The definition's value; NaN where it has none."""
    network, (images, labels) = run.network, batches_of(run)[0]
    match proxy:
        case "eps":
            return reference.eps(network, images, double=True)
        case "eznas_a":
            return reference.eznas_a(network, images, labels, double=True)
        case "zico_bc" | "l_swag":
            return getattr(reference, proxy)(network, batches_of(run), double=True)
    with seeds.torch_stream("intrain", "test"):
        noise = torch.randn_like(images)
        drawn = torch.randint(network.eval()(images).shape[1], (len(images),))
    return reference.intrain(network, noise, drawn, double=True)


UNDEFINED = {("eznas_a", "mlp"): "no convolution", ("l_swag", "mlp"): "no ReLU"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("proxy", ["eps", "eznas_a", "zico_bc", "l_swag", "intrain"])
def test_proxy_equals_its_literal_definition(proxy, name):
    run = a_run(name)
    score = a_score(proxy, run)
    if (proxy, name) in UNDEFINED:
        assert UNDEFINED[proxy, name] in score.message
        return
    expected = literal(proxy, run)
    assert (score.status == "ok") == math.isfinite(expected), (score, expected)
    if score.status == "ok":
        assert score.value == pytest.approx(expected, rel=1e-8)


def kaiming(run):
    """The weights that a pass draws, as a state of the network."""
    drawn = kaiming_parameters(run.network, mode="fan_in")
    return {**run.network.state_dict(), **drawn, **fresh_buffers(run.network)}


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "many_classes"])
def test_vkdnw(name, released):
    run = a_run(name)
    with seeds.torch_stream("vkdnw", "test"):
        state = kaiming(run)
        noise = torch.randn_like(run.batch.images)
    score = a_score("vkdnw", run, VkdnwSettings(parameters=7, released=released))
    expected = reference.vkdnw(run.network, noise, state, parameters=7, released=released)
    tensors = len(list(run.network.parameters()))
    if name == "nb201_dead":
        assert (score.status, math.isnan(expected)) == ("undefined", True)
        return
    assert score.value == pytest.approx(expected, rel=1e-7)
    assert tensors <= score.value <= tensors + math.log(9)
    assert a_score("parameter_tensors", run).value == tensors


@pytest.mark.parametrize("name", ["nb201_mixed", "shared_modules", "grouped", "plain_cnn"])
def test_the_jacobian_by_classes_is_that_by_parameters(name):
    run = a_run(name, wanted=frozenset({LogitJacobian}))
    classes = networks.ZOO[name][2]
    whole = logit_jacobian(run, VkdnwSettings())[LogitJacobian].jacobian
    assert whole.shape[2] >= classes
    few = logit_jacobian(run, VkdnwSettings(parameters=classes - 1))[LogitJacobian].jacobian
    torch.testing.assert_close(few, whole[:, :, : classes - 1])


def test_vkdnw_needs_classes():
    score = a_score("vkdnw", a_run("plain_cnn", loss="mse"))
    assert (score.status, score.message) == ("undefined", "the outputs are no logits of classes")


def test_vkdnw_takes_each_image_alone_where_a_norm_tracks_nothing():
    """What a norm without running statistics makes of an image does not depend on the others."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU(), nn.Flatten(),
        nn.Linear(144, 3),
    )  # fmt: skip
    network, images = network.double(), torch.randn(4, 3, 8, 8).double()
    run = Run(network, Batch(images), ("test",), frozenset({LogitJacobian}))
    logits = logit_jacobian(run, VkdnwSettings())[LogitJacobian].logits
    with seeds.torch_stream("vkdnw", "test"):
        network.load_state_dict(kaiming(run))
        noise = torch.randn_like(images)
    alone = torch.cat([network(image[None]) for image in noise])
    torch.testing.assert_close(logits, alone.detach())


@pytest.mark.parametrize("name", ["nb201_mixed", "nb201_dead"])
def test_wrcor(name):
    run = a_run(name)
    cells = [f"cells.{i}" for i in range(len(boundaries(run.network)) - 1)]
    batch = batches_of(run)[0]
    expected = reference.wrcor(run.network, *batch, cells=cells, behind=["head"], double=True)
    score = a_score("wrcor", run)
    if name == "nb201_dead":
        assert math.isfinite(expected) == (score.status == "ok")
    if score.status == "ok":
        assert score.value == pytest.approx(expected, rel=1e-8)


def test_wrcor_needs_cells():
    assert "stem and cells" in a_score("wrcor", a_run("plain_cnn")).message


def test_wrcor_costs_no_pass_of_its_own():
    """One forward and one backward for snip and wrcor together, with equal values."""
    run = a_run("nb201_mixed")
    together = engine.score(run, ["snip", "wrcor", "fisher"])
    for name, score in together.items():
        assert score.value == a_score(name, run).value
    assert together["snip"].seconds > 0


@pytest.mark.parametrize("name", NAMES)
def test_dextr(name):
    run = a_run(name, wanted=frozenset({OutputCurve}))
    images = run.batch.images
    with seeds.torch_stream("curve", "test"):
        pair = torch.linalg.qr(torch.randn(images[0].numel(), 2, dtype=images.dtype)).Q.T
        u, v = pair.reshape(2, 1, *images.shape[1:])
        chosen = torch.randint(networks.ZOO[name][2], (10,)).tolist()
    assert float((pair @ pair.T - torch.eye(2)).abs().max()) < 1e-12
    expected = reference.dextr(run.network, images, u, v, chosen, double=True)
    assert a_score("dextr", run).value == pytest.approx(expected, rel=1e-6)


def test_the_curvature_of_a_circle_is_one_over_its_radius():
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    network[1].weight.data = 3 * torch.eye(2)
    run = Run(network, Batch(torch.zeros(2, 2, 1, 1)), ("test",), frozenset({OutputCurve}))
    seen = output_curve(run, CurveSettings(outputs=50))[OutputCurve]
    v, a = seen.velocity, seen.acceleration
    times = math.sqrt(25)  # every coordinate is drawn about 25 times, which stretches the circle
    curvature = (v @ v) ** -1.5 * ((v @ v) * (a @ a) - (v @ a) ** 2).sqrt()
    assert float(curvature) == pytest.approx(1 / (3 * times), rel=0.3)


@pytest.mark.parametrize("name", NAMES)
def test_swap_signum_equals_swap_on_networks_of_relus(name):
    run = a_run(name)
    scores = engine.score(run, ["swap", "swap_signum"], Settings(SwapSettings(images=N)))
    if name == "leaky_head":
        assert scores["swap_signum"].value > scores["swap"].value
    elif scores["swap"].status == "ok":
        assert scores["swap_signum"].value == scores["swap"].value
    else:
        assert scores["swap_signum"].status == "undefined"


@pytest.mark.parametrize("activation", [nn.GELU, nn.SiLU, nn.Tanh, nn.ELU])
@pytest.mark.parametrize("images", [4, 20])
def test_swap_signum_of_other_activations(activation, images):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), activation(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(128, 9), activation(), nn.Linear(9, 3),
    ).double()  # fmt: skip
    x = torch.randn(images, 3, 8, 8).double()
    found = api.score(network, x, ["swap", "swap_signum"])
    expected = reference.swap_signum(network, x, kinds=(activation, nn.ReLU), double=True)
    assert found["swap_signum"].value == expected > found["swap"].value


def test_settings_change_what_they_say():
    run = a_run("plain_cnn")
    corrected = a_score("zico_bc", run, ZicoBcSettings(beta=0.0))
    assert corrected.value == pytest.approx(a_score("zico", run).value)
    assert a_score("zico_bc", run, ZicoBcSettings(beta=2.0)).value < corrected.value
    parts = [LSwagSettings(last=0.5), LSwagSettings(first=0.5)]
    halves = [a_score("l_swag", run, part).value for part in parts]
    assert sum(halves) == pytest.approx(a_score("l_swag", run).value)
    fewer = a_score("intrain", run, InTrainSettings(norms=False)).value
    assert (
        fewer
        < a_score("intrain", run).value
        != a_score("intrain", run, InTrainSettings("relus")).value
    )
    ours, theirs = (a_score("eps", run, EpsSettings(0.1, large)).value for large in (0.1, 10.0))
    assert ours == pytest.approx(0, abs=1e-12)
    assert theirs > 0


def test_eps_of_terms_that_cancel_is_no_score():
    """What a layer norm returns adds up to 0, and a constant layer makes rounding of it."""
    torch.manual_seed(0)
    norm = nn.Sequential(nn.Flatten(), nn.Linear(12, 32), nn.LayerNorm(32))
    images, labels = torch.rand(8, 3, 2, 2), torch.arange(8)
    for head in (nn.Linear(32, 10), nn.Sequential(nn.Identity(), nn.Linear(32, 10))):
        score = api.score(nn.Sequential(norm, head), (images, labels), proxies=["eps"])["eps"]
        assert score.status == "undefined"
    added = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 10))
    assert api.score(added, (images, labels), proxies=["eps"])["eps"].status == "ok"


def test_eps_takes_the_constants_of_the_space():
    assert EpsSettings().weights("nb101") == (1e-4, 10.0)
    assert EpsSettings(small=1e-3).weights("nb201") == (1e-3, 1.0)


def test_a_determinant_of_signs_by_hand():
    """Of a 1×1 kernel it is ±1, so that the sigmoid of its logarithm is a half."""
    network = nn.Sequential(nn.Conv2d(2, 3, 1, bias=False), nn.Flatten(), nn.Linear(12, 3))
    images, labels = torch.randn(5, 2, 2, 2), torch.arange(5) % 3
    assert api.score(network, (images, labels), ["eznas_a"])["eznas_a"].value == pytest.approx(
        math.sqrt(6 * 0.25)
    )


def test_kernels_that_are_not_square_have_no_determinant():
    network = nn.Sequential(nn.Conv2d(3, 2, (1, 3)), nn.Flatten(), nn.Linear(96, 3))
    images, labels = torch.randn(4, 3, 8, 8), torch.arange(4) % 3
    assert "not square" in api.score(network, (images, labels), ["eznas_a"])["eznas_a"].message


def test_gradsign_is_a_sum_of_exact_signs():
    """In whatever precision the network is; the mean is a setting."""
    run = a_run("nb201_mixed", double=False)
    total = a_score("gradsign", run).value
    batch = batches_of(run)[0]
    assert total == pytest.approx(reference.gradsign(run.network, *batch, double=True), rel=1e-3)
    weights = sum(
        m.weight.numel() for m in run.network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))
    )
    mean = a_score("gradsign", run, GradSignSettings("mean")).value
    assert total == pytest.approx(mean * weights)


def test_newer_proxies_on_a_real_cell():
    """Every one has a value, the mean one a finite one, on a cell without dead edges."""
    operations = ["nor_conv_3x3", "nor_conv_1x1", "skip_connect", "skip_connect"]
    key = nb201.to_key([*operations, "nor_conv_3x3", "skip_connect"])
    network = spaces.get("nb201").build(key, "digits", seed=0)
    images, labels = torch.randn(4, 3, 16, 16), torch.arange(4)
    batch = api.Batch(images, labels, second=api.Batch(images.flip(0), labels))
    scores = api.score(network, batch, "newer", settings=[VkdnwSettings(parameters=12)])
    assert {name: s.message for name, s in scores.items() if s.status != "ok"} == {}
    assert all(np.isfinite(score.value) for score in scores.values())


def test_what_a_space_leaves_undefined_has_a_reason():
    """NAS-Bench-101 pools tiny crops to nothing; jigsaw's encoder runs once per tile."""
    network = spaces.get("nb101").build("output~0", "cifar10", seed=0)
    score = engine.score(
        Run(network, Batch(torch.randn(2, 3, 32, 32)), ("test",)), ["linear_regions"]
    )
    assert score["linear_regions"].status == "undefined"
    assert "crops of 3×3 pixels" in score["linear_regions"].message
    network = spaces.get("tnb101_micro").build("64-41414-0_00_101", "jigsaw", seed=0)
    tiles = Batch(torch.randn(2, 9, 3, 32, 32))
    names = ["linear_regions", "az_expressivity", "az_progressivity", "az_trainability"]
    scores = engine.score(Run(network, tiles, ("test",)), names)
    assert {score.status for score in scores.values()} == {"undefined"}
    assert "a cell runs several times" in scores["az_trainability"].message
