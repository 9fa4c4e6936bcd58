"""The training of found architectures: it learns, and stopping it changes nothing."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import ROOT
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from harness import seeds
from harness.errors import DataError, HarnessError
from harness.inputs import digits
from harness.jobs.train import build
from harness.spaces import spaces
from harness.spaces.darts_networks import Network
from harness.training.augmentation import DropPath, Pixels, augmented, cutout_mask
from harness.training.final import FinalRecipe, FinalTraining

KEY = spaces.get("darts").sample(1, seed=0)[0]
SMALL = FinalRecipe(
    channels=4, layers=3, epochs=3, batch_size=40, augment=False, cutout=2, auxiliary=0
)
SPLIT = digits.train_test_split()
TRAIN = Pixels(SPLIT.train_images, SPLIT.train_labels, (0.3,) * 3, (0.3,) * 3)
TEST = Pixels(SPLIT.test_images, SPLIT.test_labels, (0.3,) * 3, (0.3,) * 3)


def training(recipe: FinalRecipe = SMALL, seed: int = 0) -> FinalTraining:
    with seeds.torch_stream("weights", seed, KEY):
        network = build("darts", KEY, "digits", recipe)
    return FinalTraining(network, recipe, seed)


def advance(run: FinalTraining, epochs: int) -> FinalTraining:
    for _ in range(epochs):
        run.history.append(run.train_epoch(TRAIN))
    return run


def weights(run: FinalTraining) -> torch.Tensor:
    return torch.cat([tensor.double().ravel() for tensor in run.network.state_dict().values()])


def test_it_learns() -> None:
    run = training(replace(SMALL, epochs=8, learning_rate=0.1, drop_path=0.1))
    before = run.accuracy(TEST)
    advance(run, 8)
    losses = [row["loss"] for row in run.history]
    assert losses[-1] < 0.6 * losses[0]
    assert run.accuracy(TEST) > max(60, before + 40)


def test_resumed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    straight = advance(training(), 3)
    advance(training(), 1).save(tmp_path / "checkpoint.pt")
    torch.manual_seed(12345)  # whatever a new process happens to draw
    resumed = training()
    resumed.load(tmp_path / "checkpoint.pt")
    assert resumed.epoch == 1
    advance(resumed, 2)
    assert torch.equal(weights(straight), weights(resumed))
    assert straight.history == resumed.history


def test_seeds_differ() -> None:
    assert not torch.equal(weights(advance(training(), 1)), weights(advance(training(seed=1), 1)))


def test_checkpoint_of_another_recipe(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    training().save(path)
    with pytest.raises(HarnessError, match=r"another train\.epochs"):
        training(replace(SMALL, epochs=4)).load(path)
    with pytest.raises(HarnessError, match=r"another train\.seed"):
        training(seed=1).load(path)


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_truncated_checkpoint(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "checkpoint.pt"
    training().save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="corrupted"):
        training().load(path)


def test_checkpoint_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"recipe": SMALL}, path)  # an object of a class, not tensors and numbers
    with pytest.raises(DataError, match="corrupted"):
        training().load(path)


def test_mixed_precision_learns_too() -> None:
    run = advance(training(replace(SMALL, mixed_precision=True)), 3)
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert next(run.network.parameters()).dtype == torch.float32


def test_auxiliary_head_trains() -> None:
    run = FinalTraining(build("darts", KEY, "cifar10", replace(SMALL, auxiliary=0.4)), SMALL, 0)
    run.recipe = replace(SMALL, auxiliary=0.4, batch_size=4, cutout=16)
    random = np.random.default_rng(0)
    images = random.integers(256, size=(8, 32, 32, 3), dtype=np.uint8)
    assert isinstance(run.network, Network)
    before = run.network.auxiliary[-1].weight.detach().clone()
    run.train_epoch(Pixels(images, np.arange(8), (0.5,) * 3, (0.2,) * 3))
    assert not torch.equal(before, run.network.auxiliary[-1].weight)


@pytest.mark.parametrize(
    ("space", "task", "recipe", "words"),
    [
        ("darts", "digits", replace(SMALL, auxiliary=0.4), "32×32"),
        ("nb201", "digits", replace(SMALL, drop_path=0.2), "no paths to drop"),
    ],
)
def test_impossible_networks(space: str, task: str, recipe: FinalRecipe, words: str) -> None:
    with pytest.raises(HarnessError, match=words):
        build(space, spaces.get(space).sample(1, seed=0)[0], task, recipe)


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"batch_size": 1}, {"drop_path": 1.0}, {"cutout": -1}]
)
def test_impossible_recipes(wrong: dict[str, float]) -> None:
    with pytest.raises(HarnessError, match="train"):
        replace(SMALL, **wrong)


def test_drop_path_keeps_the_mean_and_spares_identities() -> None:
    network = build("darts", KEY, "cifar10", replace(SMALL, channels=2))
    drop = DropPath(network)
    drop.probability = 0.5
    cell = network.cells[0]
    operation = next(o for o in cell.operations if not isinstance(o, nn.Identity))
    x = torch.randn(2000, 2, 4, 4)
    operation.eval()
    whole = operation(x)
    operation.train()
    for module in operation.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    with seeds.torch_stream("test"):
        dropped = operation(x)
    alive = dropped.flatten(1).any(1)
    assert 0.45 < alive.float().mean() < 0.55
    assert torch.allclose(dropped[alive], 2 * whole[alive], atol=1e-6)
    identities = [m for m in network.modules() if isinstance(m, nn.Identity)]
    assert all(not m._forward_hooks for m in identities)


@given(st.integers(1, 12), st.integers(1, 14), st.integers(0, 2**31))
def test_cutout_is_a_square_cut_off_at_the_border(side: int, hole: int, seed: int) -> None:
    mask = cutout_mask(3, side, hole, np.random.default_rng(seed))
    for one in mask:
        rows, columns = np.nonzero(1 - one)
        assert 1 <= len(set(rows)) <= hole
        assert len(rows) == len(set(rows)) * len(set(columns))
        inside = rows.min() > 0 and rows.max() < side - 1
        assert not inside or len(set(rows)) == hole


def test_augmentation_changes_only_what_is_asked() -> None:
    chosen = np.arange(5)
    plain = TRAIN.tensor(TRAIN.images[chosen], torch.device("cpu"))
    random = np.random.default_rng(0)
    kept = augmented(TRAIN, chosen, random, torch.device("cpu"), crop=False, hole=0)
    assert torch.equal(plain, kept)
    cut = augmented(TRAIN, chosen, random, torch.device("cpu"), crop=False, hole=3)
    assert torch.equal(cut, torch.where(cut == 0, cut, plain))
    assert not torch.equal(cut, plain)


def command(folder: Path) -> list[str]:
    recipe = "channels=4 layers=3 epochs=5 batch_size=40 cutout=2 auxiliary=0 augment=false"
    options = [f"train.{option}" for option in recipe.split()]
    architecture = f'train.architecture="{KEY}"'
    head = [sys.executable, "-m", "harness", "job=train", "space=darts", "task=digits"]
    return [*head, architecture, f"results={folder}", *options]


def test_killed_command_goes_on(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(command(tmp_path / "whole"), env=environment, check=True)
    victim = subprocess.Popen(command(tmp_path / "killed"), env=environment)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "killed").rglob("checkpoint.pt")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    subprocess.run(command(tmp_path / "killed"), env=environment, check=True)
    logs = [pd.read_csv(next((tmp_path / name).rglob("log.csv"))) for name in ("whole", "killed")]
    pd.testing.assert_frame_equal(*logs)


def test_no_architecture(tmp_path: Path) -> None:
    arguments = [part for part in command(tmp_path) if "architecture" not in part]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "No architecture to train" in run.stderr
