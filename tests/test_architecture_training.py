"""The training of single architectures: it learns, and stopping it changes nothing."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import ROOT
from torch import nn

from harness.config import Config
from harness.core import seeds
from harness.core.errors import DataError, HarnessError
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.spaces.darts import Genotype, print_genotype
from harness.spaces.networks.darts_network import DartsNetwork
from harness.spaces.networks.darts_operations import Noise
from harness.spaces.space import spaces
from harness.training import checkpoints
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.architecture_training import ArchitectureTraining
from harness.training.drop_path import DropPath
from harness.training.labelled_images import Pixels, training_and_test
from harness.training.trained_architectures import train_seeds
from harness.training.trained_networks import build

KEY = spaces.get("darts").sample(1, seed=0)[0]
SMALL = ArchitectureRecipe(
    channels=4, layers=3, epochs=3, batch_size=40, augment=False, cutout=2, auxiliary=0.0
)
PARTS = training_and_test(tasks.get("digits"), InputSettings(), 0.2, 40)
TRAIN, TEST = PARTS.training.on("cpu"), PARTS.test.on("cpu")


EDGES = [("noise", 0), ("sep_conv_3x3", 1), *[("sep_conv_3x3", 0), ("noise", 1)] * 3]
KEY_WITH_NOISE = print_genotype(Genotype(tuple(EDGES), tuple(EDGES)))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Sums are split among threads; bits are compared with those of another process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def training(recipe: ArchitectureRecipe = SMALL, seed: int = 0) -> ArchitectureTraining:
    with seeds.torch_stream("weights", seed, KEY):
        network = build("darts", KEY, "digits", recipe)
    return ArchitectureTraining(network, recipe, seed)


def advance(run: ArchitectureTraining, epochs: int) -> ArchitectureTraining:
    for _ in range(epochs):
        run.history.append(run.train_epoch(TRAIN))
    return run


def weights(run: ArchitectureTraining) -> torch.Tensor:
    return torch.cat([tensor.double().ravel() for tensor in run.network.state_dict().values()])


def test_it_learns() -> None:
    run = training(replace(SMALL, epochs=5, learning_rate=0.1, drop_path=0.1))
    before = run.accuracy(TEST)["test_accuracy"]
    advance(run, 5)
    losses = [row["loss"] for row in run.history]
    assert losses[-1] < 0.6 * losses[0]
    after = run.accuracy(TEST)
    assert after["test_accuracy"] > max(60, before + 40)
    assert after["test_accuracy"] < after["test_top5"] <= 100


def test_resumed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    straight = advance(training(), 3)
    checkpoints.write(tmp_path, 1, advance(training(), 1).state())
    torch.manual_seed(12345)  # whatever a new process happens to draw
    resumed = training()
    resumed.restore(checkpoints.read(checkpoints.newest(tmp_path), "cpu"))
    assert resumed.epoch == 1
    advance(resumed, 2)
    assert torch.equal(weights(straight), weights(resumed))
    assert straight.history == resumed.history


def test_seeds_differ() -> None:
    assert not torch.equal(weights(advance(training(), 1)), weights(advance(training(seed=1), 1)))


def test_flipped_bits_of_a_checkpoint_never_pass(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, 1, training().state())
    path = checkpoints.newest(tmp_path)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for place in random.integers(8 * len(whole), size=60):
        broken = bytearray(whole)
        broken[place // 8] ^= 1 << (place % 8)
        path.write_bytes(broken)
        with pytest.raises(DataError, match="delete it"):
            checkpoints.read(path, "cpu")


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_truncated_checkpoint(tmp_path: Path, keep: int) -> None:
    checkpoints.write(tmp_path, 1, training().state())
    path = checkpoints.newest(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="corrupted"):
        checkpoints.read(path, "cpu")


def test_checkpoint_runs_no_code(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, 1, {"recipe": SMALL})  # an object, not tensors and numbers
    with pytest.raises(DataError, match="corrupted"):
        checkpoints.read(checkpoints.newest(tmp_path), "cpu")


def test_the_checkpoint_before_the_last_is_kept(tmp_path: Path) -> None:
    for epoch in range(9, 12):
        checkpoints.write(tmp_path, epoch, {"epoch": epoch})
    assert len(list(tmp_path.iterdir())) == 2
    last = checkpoints.newest(tmp_path)
    assert checkpoints.read(last, "cpu") == {"epoch": 11}
    last.unlink()
    assert checkpoints.read(checkpoints.newest(tmp_path), "cpu") == {"epoch": 10}


def test_every_image_is_learned_from_in_every_epoch() -> None:
    """400 images in batches of 96, as DARTS has 50,000: the last batch is smaller."""
    seen = []
    run = training(replace(SMALL, batch_size=96))
    run.network.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].clone()))
    run.train_epoch(TRAIN)
    assert [len(images) for images in seen] == [96, 96, 96, 96, 16]
    assert len(torch.cat(seen)) == len(TRAIN) == 400


def test_the_loss_of_an_epoch_is_that_of_its_images() -> None:
    """With weights that do not move, so that the slow loop sees the same network."""
    recipe = replace(SMALL, batch_size=96, learning_rate=1e-30, cutout=0, label_smoothing=0.1)
    run = training(recipe)
    found = run.train_epoch(TRAIN)["loss"]
    order = np.concatenate([labels for _, labels in of_epoch(run, recipe)])
    assert sorted(order.tolist()) == sorted(TRAIN.labels.tolist())
    total = 0.0
    for images, labels in of_epoch(run, recipe):
        chances = torch.softmax(run.network(images).double(), 1)
        for chance, label in zip(chances, labels, strict=True):
            target = torch.full_like(chance, 0.1 / 10)
            target[label] += 0.9
            total -= float((target * chance.log()).sum().detach())
    assert found == pytest.approx(total / 400, rel=1e-5)


def of_epoch(
    run: ArchitectureTraining, recipe: ArchitectureRecipe
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    random = seeds.numpy_stream("final training", 0, run.epoch)
    return TRAIN.augmented(random, recipe.batch_size, crop=recipe.augment, hole=recipe.cutout)


def test_learning_rates() -> None:
    cosine = ArchitectureRecipe()
    assert [cosine.rate(epoch) for epoch in (0, 300, 600)] == pytest.approx([0.025, 0.0125, 0])
    steps = replace(cosine, learning_rate=0.1, learning_rate_decay=0.97)
    assert [steps.rate(epoch) for epoch in (0, 1, 249)] == pytest.approx(
        [0.1, 0.097, 5.08e-5], 1e-3
    )


def test_a_gpu_computes_in_half_precision_unless_told() -> None:
    told = [ArchitectureRecipe(mixed_precision=one) for one in (None, True, False)]
    assert [one.half_precision("cuda:1") for one in told] == [True, True, False]
    assert [one.half_precision("cpu") for one in told] == [False, True, False]


@pytest.mark.slow
def test_a_compiled_network_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # Traced and guarded as ever, run without the C++ that takes many minutes to compile.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    plain = advance(training(replace(SMALL, drop_path=0.2)), 2)
    compiled = advance(training(replace(SMALL, drop_path=0.2, compile=True)), 2)
    for one, other in zip(plain.history, compiled.history, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=0.02)
    assert set(plain.network.state_dict()) == set(compiled.network.state_dict())


def test_noise_is_new_in_every_forward_and_the_same_for_a_seed() -> None:
    key = KEY_WITH_NOISE
    recipe = replace(SMALL, epochs=1)
    runs = []
    for _ in range(2):
        with seeds.torch_stream("weights", 0, key):
            network = build("darts_s4", key, "digits", recipe)
        runs.append(advance(ArchitectureTraining(network, recipe, 0), 1))
    assert torch.equal(*map(weights, runs))
    assert runs[0].accuracy(TEST) == runs[1].accuracy(TEST)
    noise = next(m for m in runs[0].network.modules() if isinstance(m, Noise) and m.stride == 1)
    x = torch.zeros(64, 4, 8, 8)
    first, second = noise(x), noise(x)
    assert not torch.equal(first, second)
    assert float(first.mean()) == pytest.approx(0, abs=0.05)
    assert float(first.std()) == pytest.approx(1, abs=0.05)


def test_mixed_precision_learns_too() -> None:
    run = advance(training(replace(SMALL, mixed_precision=True)), 3)
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert next(run.network.parameters()).dtype == torch.float32


def test_auxiliary_head_trains() -> None:
    run = ArchitectureTraining(
        build("darts", KEY, "cifar10", replace(SMALL, auxiliary=0.4)), SMALL, 0
    )
    run.recipe = replace(SMALL, auxiliary=0.4, batch_size=4, cutout=16)
    random = np.random.default_rng(0)
    images = random.integers(256, size=(8, 32, 32, 3), dtype=np.uint8)
    assert isinstance(run.network, DartsNetwork)
    before = run.network.auxiliary[-1].weight.detach().clone()
    run.train_epoch(Pixels(images, np.arange(8), (0.5,) * 3, (0.2,) * 3).on("cpu"))
    assert not torch.equal(before, run.network.auxiliary[-1].weight)


@pytest.mark.parametrize(
    ("space", "task", "recipe", "words"),
    [
        ("darts", "digits", replace(SMALL, auxiliary=0.4), "32×32"),
        ("nb201", "digits", replace(SMALL, drop_path=0.2), "no paths to drop"),
    ],
)
def test_impossible_networks(space: str, task: str, recipe: ArchitectureRecipe, words: str) -> None:
    with pytest.raises(HarnessError, match=words):
        build(space, spaces.get(space).sample(1, seed=0)[0], task, recipe)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"epochs": 0}, {"batch_size": 1}, {"channels": 0}, {"cutout": -1}, {"drop_path": 1.0}),
        *({key: bad} for key in ("learning_rate", "momentum", "weight_decay", "clip", "auxiliary")
          for bad in (math.nan, math.inf, -0.1)),
        *({"learning_rate": 0.0}, {"clip": 0.0}, {"momentum": 1.0}, {"held_out": 1.0}),
        *({"learning_rate_decay": 0.0}, {"learning_rate_decay": 1.1}, {"label_smoothing": 1.0}),
    ],
)  # fmt: skip
def test_impossible_recipes(wrong: dict[str, float]) -> None:
    (key,) = wrong
    with pytest.raises(HarnessError, match=rf"train_architecture\.{key}=\S+ is not possible"):
        replace(SMALL, **wrong)


def test_drop_path_keeps_the_mean_and_spares_identities() -> None:
    network = build("darts", KEY, "cifar10", replace(SMALL, channels=2))
    drop = DropPath(network)
    drop.drop(0.5)
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


def run(folder: Path, recipe: ArchitectureRecipe = SMALL, **more: object) -> Path:
    more = {"study": "train", **more}
    config = Config(job="train", space="darts", task="digits", results=str(folder), **more)
    return train_seeds(config, recipe, KEY)


def test_seeds_of_a_recipe_add_up_and_another_recipe_is_refused(tmp_path: Path) -> None:
    once = replace(SMALL, epochs=1)
    folder = run(tmp_path, once)
    assert run(tmp_path, once, seed="0..1") == folder
    log = pd.read_csv(folder / "log.csv")
    assert log[["seed", "epoch"]].to_numpy().tolist() == [[0, 1], [1, 1]]
    assert log.loss.nunique() == 2
    record = json.loads((folder / "run.json").read_text())
    assert record["conditions"]["architecture"] == KEY
    assert [one["device"] for one in record["computed"]] == ["cpu"]
    weights_of = tmp_path / record["resolved"]["weights"]
    assert sorted(path.name for path in weights_of.iterdir()) == ["seed_0", "seed_1"]
    other = replace(once, clip=1.0)
    with pytest.raises(HarnessError, match=r"clip=5\.0, now 1\.0.*study=NAME.*overwrite=true"):
        run(tmp_path, other)
    run(tmp_path, other, overwrite=True)
    assert pd.read_csv(folder / "log.csv").seed.tolist() == [0]
    assert run(tmp_path, once, study="mine") == tmp_path / "mine" / folder.relative_to(
        tmp_path / "train"
    )


def test_a_damaged_log_is_not_added_to(tmp_path: Path) -> None:
    once = replace(SMALL, epochs=1)
    log = run(tmp_path, once) / "log.csv"
    log.write_text(log.read_text().replace("0,1,", "0,2,"))
    with pytest.raises(DataError, match="changed or damaged"):
        run(tmp_path, once, seed=1)


def test_other_weights_are_other_conditions(tmp_path: Path) -> None:
    """A checkpoint of another recipe is not gone on from, whatever the user forces."""
    run(tmp_path, replace(SMALL, epochs=1))
    folder = run(tmp_path, replace(SMALL, epochs=1, learning_rate=0.1), overwrite=True)
    assert pd.read_csv(folder / "log.csv").learning_rate.tolist() == [0.1]


def test_no_architecture(tmp_path: Path) -> None:
    config = Config(job="train", study="train", space="darts", task="digits", results=str(tmp_path))
    with pytest.raises(HarnessError, match="No architecture to train; name one with architecture="):
        train_seeds(config, SMALL, "")


def test_killed_command_goes_on(tmp_path: Path) -> None:
    fields = ["channels", "layers", "epochs", "batch_size", "augment", "cutout", "auxiliary"]
    recipe = [f"train_architecture.{name}={getattr(SMALL, name)}" for name in fields]
    command = [sys.executable, "-m", "harness", "job=train", "space=darts", "task=digits"]
    command += [f'architecture="{KEY}"', f"results={tmp_path / 'killed'}", *recipe]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    victim = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("epochs.csv")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert not list(tmp_path.rglob("log.csv"))
    (epochs,) = tmp_path.rglob("seed_0/epochs.csv")  # a kill may come between checkpoint and line
    told, done = pd.read_csv(epochs).epoch.tolist(), checkpoints.epochs_done(epochs.parent)
    assert told == list(range(1, done + 1)) or told == list(range(1, done))
    logs = [(run(tmp_path / name) / "log.csv").read_bytes() for name in ("killed", "whole")]
    assert logs[0] == logs[1]
    assert pd.read_csv(epochs).epoch.tolist() == [1, 2, 3]
    last = [checkpoints.newest(next((tmp_path / n).rglob("seed_0"))) for n in ("killed", "whole")]
    states = [checkpoints.read(path, "cpu")["network"] for path in last]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
