"""zero-cost-nas' function and NATS-Bench's queries, answered by what is here."""

import doctest
import math

import pytest
import references.gradients as by_gradients
import references.jacobians as by_jacobians
import torch
from references.networks import ZOO, batch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from harness import api
from harness.adapters import nats_bench
from harness.adapters.nats_bench import NatsBench
from harness.adapters.zero_cost_nas import MEASURES, find_measures
from harness.core.errors import HarnessError
from harness.spaces.space import spaces

NAME = "plain_cnn"
CLASSES = ZOO[NAME][2]
IMAGES, LABELS = batch(NAME, 8, seed=1)
LOADER = DataLoader(TensorDataset(IMAGES, LABELS), batch_size=4)


def network() -> nn.Module:
    return ZOO[NAME][0]()


def synflow_sum(one: nn.Module, images: torch.Tensor) -> float:
    """Σ |w ⊙ ∂R/∂w| of the absolute network on an image of ones, batch norms left out."""
    one = one.double()
    for parent in list(one.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.abs_()
    one(torch.ones_like(images[:1]).double()).sum().backward()
    layers = [m for m in one.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return sum((m.weight * m.weight.grad).abs().sum().item() for m in layers)


def test_the_measures_are_those_of_the_definitions() -> None:
    found = find_measures(network(), LOADER, ("random", 2, CLASSES), "cpu")
    assert tuple(found) == MEASURES
    expected = {
        name: getattr(by_gradients, name)(network(), IMAGES, LABELS)
        for name in ("grad_norm", "snip", "grasp", "fisher", "plain")
    }
    expected["jacob_cov"] = by_jacobians.jacov(network(), IMAGES, LABELS)
    expected["synflow"] = synflow_sum(network(), IMAGES)
    assert found == pytest.approx(expected, rel=1e-3)


def test_one_batch_is_one_batch() -> None:
    found = find_measures(network(), LOADER, ("random", 1, CLASSES), "cpu", measure_names=["snip"])
    expected = api.score(network(), (IMAGES[:4], LABELS[:4]), ["snip"])["snip"].value
    assert found == {"snip": expected}


def test_images_of_every_class() -> None:
    labels = torch.tensor([2, 0, 0, 1, 1, 2, 0, 1])
    loader = DataLoader(TensorDataset(IMAGES, labels), batch_size=3)
    found = find_measures(network(), loader, ("grasp", 2, 3), "cpu", measure_names=["grad_norm"])
    order = [1, 2, 3, 4, 0, 5]  # two of class 0, of 1, of 2
    expected = api.score(network(), (IMAGES[order], labels[order]), ["grad_norm"])
    assert found["grad_norm"] == expected["grad_norm"].value
    with pytest.raises(HarnessError, match="fewer than 3 images of one of 3 classes"):
        find_measures(network(), loader, ("grasp", 3, 3), "cpu")


def test_any_proxy_and_another_loss() -> None:
    targets = torch.rand(8, CLASSES)
    loader = [(IMAGES, targets)]
    found = find_measures(
        network(), loader, ("random", 1, CLASSES), "cpu", functional.mse_loss, ["snip", "swap"]
    )
    batch = api.Batch(IMAGES, targets, "mse")
    expected = api.score(network(), batch, ["snip", "swap"])
    assert found == {name: score.value for name, score in expected.items()}


def test_what_is_undefined_is_no_number() -> None:
    dead = network()
    for parameter in dead.parameters():
        nn.init.zeros_(parameter)
    found = find_measures(dead, LOADER, ("random", 1, CLASSES), "cpu", measure_names=["synflow"])
    assert math.isnan(found["synflow"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"measure_names": ["synflow_bn"]}, "Unknown proxy 'synflow_bn'"),
        ({"measures_arr": {}}, "measures_arr"),
        ({"dataload_info": ("best", 1, 5)}, "way to load data"),
        ({"loss_fn": functional.nll_loss}, "Unknown loss 'nll_loss'"),
        ({"loss_fn": nn.CrossEntropyLoss(label_smoothing=0.1)}, "weights or sums"),
    ],
)
def test_what_is_not_here_is_told(change: dict[str, object], said: str) -> None:
    usual = {"dataload_info": ("random", 1, CLASSES), "device": "cpu"}
    with pytest.raises(HarnessError, match=said):
        find_measures(network(), LOADER, **{**usual, **change})


def test_nats_bench_by_index_and_by_architecture() -> None:
    assert doctest.testmod(nats_bench).failed == 0
    benchmark, space = NatsBench(), spaces.get("nb201")
    assert len(benchmark) == len(list(benchmark)) == 15_625
    for dataset, task in (
        ("cifar10", "cifar10"),
        ("cifar100", "cifar100"),
        ("ImageNet16-120", "imagenet16_120"),
    ):
        for index in (0, 1111, 15_624):
            arch = benchmark[index]
            assert arch == space.key_at(index)
            found = benchmark.get_more_info(arch, dataset, hp="200", is_random=False)
            assert found == benchmark.get_more_info(index, dataset)
            expected = api.truth.value("nb201", task, arch, "test_mean")
            assert found == {"test-accuracy": expected}
    assert NatsBench("sss").arch(1) == "8:8:8:8:16"
    assert NatsBench("sss").query_index_by_arch("8:8:8:8:16") == 1


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: NatsBench("dss"), "search space of NATS-Bench 'dss'"),
        (lambda: NatsBench().arch(15_625), "15,625 architectures"),
        (lambda: NatsBench().query_index_by_arch("|none~0|"), "NAS-Bench-201"),
        (lambda: NatsBench().get_more_info(0, "svhn"), "data set of NATS-Bench 'svhn'"),
        (lambda: NatsBench().get_more_info(0, "cifar10", hp="12"), "hp='200'"),
        (lambda: NatsBench().get_more_info(0, "cifar10", is_random=True), "is_random=False"),
        (lambda: NatsBench().get_more_info(0, "cifar10-valid"), "path=COPY"),
        (lambda: NatsBench("sss").get_more_info(0, "cifar10"), "truth.path="),
    ],
)
def test_what_nats_bench_has_and_we_have_not(ask, said: str) -> None:
    with pytest.raises(HarnessError, match=said):
        ask()
