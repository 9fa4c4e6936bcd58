"""Training a supernet on a small scale: does it learn, and does each score read what it should?"""

import copy
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.search.supernets.nb201_supernet import Nb201Supernet
from harness.search.supernets.supernet import State
from harness.search.zero_cost_pt import trained_scores
from harness.spaces.nb201 import OPERATIONS
from harness.training.labelled_images import ImagesOnDevice
from harness.training.supernet_recipe import SupernetRecipe
from harness.training.supernet_training import Halves, batch_accuracy, halves_of, train_supernet

NONE = OPERATIONS.index("none")
EDGE = ("cell", 0)
QUICK = SupernetRecipe(epochs=1, batch_size=20, tune_epochs=1)


def halves(images: int, **inputs: object) -> Halves:
    recipe = SupernetRecipe(images=images)
    return halves_of(tasks.get("digits"), InputSettings(**inputs), recipe, seed=0, device="cpu")


@pytest.fixture(scope="module")
def data() -> Halves:
    return halves(400)


@pytest.fixture(scope="module")
def few() -> Halves:
    return halves(80)


def shown(half: ImagesOnDevice) -> torch.Tensor:
    return half.normalised(half.images)


def small(seed: int = 0) -> Nb201Supernet:
    with seeds.torch_stream("small", seed):
        net = Nb201Supernet(10, widths=(4, 8, 16), cells=1)
    net.draw_alphas(seed)
    return net


@pytest.fixture(scope="module")
def trained(data: Halves) -> tuple[Nb201Supernet, list[float]]:
    net = small()
    recipe = SupernetRecipe(epochs=6, batch_size=40, alpha_learning_rate=0.01)
    return net, train_supernet(net, trained_scores.alpha_leaves(net), data, recipe, seed=0)


def weights_of(net: Nb201Supernet) -> list[torch.Tensor]:
    return [value.clone() for value in net.state_dict().values()]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_halves_share_no_image() -> None:
    first, second = halves(400).training.images, halves(400).validation.images
    assert len(first) == len(second) == 200
    joined = torch.cat([first, second]).flatten(1)
    assert len(torch.unique(joined, dim=0)) == len(joined)


@pytest.mark.parametrize("augment", [True, False])
def test_images_are_augmented_anew_in_every_epoch(augment: bool) -> None:
    """A network that only looks: what it sees in an epoch are the images, or others every time."""
    data, seen = halves(80, augment=augment), []
    net = small()
    net.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].clone()))
    train_supernet(net, [], data, SupernetRecipe(epochs=3, batch_size=16), seed=0)
    assert [len(images) for images in seen] == 3 * [16, 16, 8]
    epochs = [torch.cat(seen[first : first + 3]).flatten(1) for first in (0, 3, 6)]
    assert not torch.equal(epochs[0], epochs[1])  # at least another order
    distinct = len(torch.unique(torch.cat(epochs), dim=0))
    assert distinct > 80 if augment else distinct == 40


def test_every_epoch_is_told_when_it_is_over(few: Halves) -> None:
    net, told = small(), []
    alphas = trained_scores.alpha_leaves(net)

    def note(epoch: int) -> None:
        told.append((epoch, trained_scores.darts(net, EDGE)))

    train_supernet(net, alphas, few, replace(QUICK, epochs=2), seed=0, after_epoch=note)
    assert [epoch for epoch, _ in told] == [1, 2]
    assert told[0][1] != told[1][1] == trained_scores.darts(net, EDGE)


def test_it_learns(trained: tuple[Nb201Supernet, list[float]], data: Halves) -> None:
    net, losses = trained
    assert losses[0] == pytest.approx(2.3, abs=0.2)  # ln 10, a guess
    assert losses[-1] < losses[0] - 0.5
    assert batch_accuracy(net, data.validation, 40) > 30  # chance is 10


def test_alpha_prefers_something_after_training(
    trained: tuple[Nb201Supernet, list[float]],
) -> None:
    shares = torch.tensor([trained_scores.darts(trained[0], edge) for edge in trained[0].edges()])
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(6))
    assert (shares.amax(dim=1) - shares.amin(dim=1)).min() > 0.01


def test_the_first_step_of_alpha_follows_the_validation_gradient(few: Halves) -> None:
    recipe = SupernetRecipe(epochs=1, batch_size=40, alpha_learning_rate=0.1)
    net = small(1)
    reference = copy.deepcopy(net).train()
    alphas = trained_scores.alpha_leaves(reference)
    for alpha in alphas:
        alpha.requires_grad_(True)
    # One batch is all of the half, so its order does not matter.
    loss = functional.cross_entropy(reference(shown(few.validation)), few.validation.labels)
    gradients = torch.autograd.grad(loss, alphas)
    before = [alpha.clone() for alpha in trained_scores.alpha_leaves(net)]
    train_supernet(net, trained_scores.alpha_leaves(net), few, recipe, seed=0)
    after = trained_scores.alpha_leaves(net)
    moved = 0
    for old, new, gradient in zip(before, after, gradients, strict=True):
        # Adam's first step is the learning rate against the sign of gradient and decay.
        pull = gradient + recipe.alpha_weight_decay * old
        clear = pull.abs() > 1e-5
        torch.testing.assert_close((new - old)[clear], -0.1 * pull.sign()[clear], atol=1e-3, rtol=0)
        moved += int(clear.sum())
    assert moved > 20


def test_fixed_alpha_stays_while_weights_move(few: Halves) -> None:
    net = small()
    weights, alphas = weights_of(net), copy.deepcopy(net.alphas)
    train_supernet(net, [], few, QUICK, seed=0)
    assert same(net.alphas["cell"], alphas["cell"])
    assert not same(weights_of(net), weights)


def test_alpha_of_a_decided_edge_does_not_move(few: Halves) -> None:
    net = small()
    before = copy.deepcopy(net.alphas["cell"])
    with net.at(State(decided={EDGE: 3})):
        train_supernet(net, trained_scores.alpha_leaves(net), few, QUICK, seed=0)
    unmoved = [torch.equal(a, b) for a, b in zip(before, net.alphas["cell"], strict=True)]
    assert unmoved == [True, False, False, False, False, False]


def test_the_same_seed_trains_alike_and_another_does_not(few: Halves) -> None:
    losses = []
    for seed in (0, 0, 1):
        net = small()
        alphas = trained_scores.alpha_leaves(net)
        losses.append(train_supernet(net, alphas, few, QUICK, seed))
    assert losses[0] == losses[1] != losses[2]


def test_the_learning_rate_falls_along_a_cosine(few: Halves, monkeypatch) -> None:
    rates = []
    step = torch.optim.SGD.step

    def watched(self, *args):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args)

    monkeypatch.setattr(torch.optim.SGD, "step", watched)
    recipe = SupernetRecipe(epochs=2, batch_size=40, tune_epochs=1)
    net = small()
    train_supernet(net, [], few, recipe, seed=0)
    train_supernet(net, [], few, recipe, seed=0, tune=True)
    assert rates == pytest.approx([0.025, 0.013, 0.0025])


def test_batch_accuracy_leaves_no_trace_and_uses_each_batch(few: Halves) -> None:
    net = small().eval()
    before = [value for value in weights_of(net) if value.is_floating_point()]
    found = batch_accuracy(net, few.validation, 16)
    after = [value for value in weights_of(net) if value.is_floating_point()]
    assert same(before, after)
    assert not net.training
    copied = copy.deepcopy(net).train()
    hits = 0
    with torch.no_grad():
        for start in (0, 16, 32):
            images, labels = (
                part[start : start + 16] for part in (shown(few.validation), few.validation.labels)
            )
            hits += int((copied(images).argmax(dim=1) == labels).sum())
    assert found == 100 * hits / 40


def test_without_none_nothing_is_lost(
    trained: tuple[Nb201Supernet, list[float]], data: Halves
) -> None:
    net, before = trained[0], weights_of(trained[0])
    scores = trained_scores.darts_pt(net, {}, EDGE, data, QUICK)
    assert scores[NONE] == -batch_accuracy(net, data.validation, QUICK.batch_size)
    assert len(set(scores)) > 1
    assert all(-100 <= score <= 0 for score in scores)
    assert [value.shape for value in before] == [value.shape for value in weights_of(net)]


def test_disc_acc_trains_copies(trained: tuple[Nb201Supernet, list[float]], few: Halves) -> None:
    net = trained[0]
    before, alphas = weights_of(net), copy.deepcopy(net.alphas["cell"])
    scores = [trained_scores.disc_acc(net, {}, EDGE, few, QUICK, seed=0) for _ in range(2)]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 5
    assert same(weights_of(net), before)
    assert same(net.alphas["cell"], alphas)
    untouched = trained_scores.disc_acc(
        net, {}, EDGE, few, SupernetRecipe(batch_size=20, tune_epochs=0), seed=0
    )
    assert untouched != scores[0]


def test_too_few_images_and_senseless_recipes_are_refused(few: Halves) -> None:
    with pytest.raises(HarnessError, match="less than one batch"):
        train_supernet(small(), [], few, SupernetRecipe(batch_size=41), seed=0)
    with pytest.raises(HarnessError, match=r"train_supernet\.epochs=0"):
        SupernetRecipe(epochs=0)
