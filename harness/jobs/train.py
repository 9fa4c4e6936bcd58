"""``job=train``: trains one found architecture from scratch, with checkpoints.

Kill it at any moment and start it again: it goes on after the last finished epoch and ends with the
same weights.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
from rich.progress import track
from torch import nn

from harness import figures, provenance, seeds
from harness.config import Config
from harness.errors import HarnessError
from harness.files import make_writable
from harness.inputs import banks, digits, read_bank
from harness.jobs.base import jobs
from harness.runs.protocol import check_device
from harness.runs.work import console
from harness.spaces import spaces
from harness.spaces.darts_networks import Network, Skeleton
from harness.spaces.nb301 import from_genotype, parse
from harness.tasks import tasks
from harness.training.augmentation import Pixels
from harness.training.final import FinalRecipe, FinalTraining

DARTS_SPACES = ("darts", "nb301")


def train(config: Config) -> Path:
    """Trains the architecture once per seed.

    Returns:
        The folder with one folder per seed: ``log.csv`` (a row per epoch: learning rate, mean
        loss, test accuracy in percent), ``checkpoint.pt`` and ``run.json``.

    Raises:
        HarnessError: If no architecture is named, or it does not fit the space, the task or the
            recipe.
    """
    check_device(config.device)
    key = _key(config)
    training_images, test_images = _data(config.task)
    name = hashlib.sha256(key.encode()).hexdigest()[:12]
    folder = Path(config.results) / "train" / config.space / config.task / name
    for seed in config.seeds:
        with seeds.torch_stream("weights", seed, key):
            network = build(config.space, key, config.task, config.train)
        training = FinalTraining(network, config.train, seed, config.device)
        _run(training, training_images, test_images, folder / f"seed_{seed}")
        resolved = {"key": key, "seed": seed, **training.history[-1]}
        provenance.write(folder / f"seed_{seed}" / "run.json", config, resolved, {"sources": ()})
    return folder


def build(space: str, key: str, task: str, recipe: FinalRecipe) -> nn.Module:
    """Builds the network to train; weights come from torch's global generator.

    Raises:
        HarnessError: If the recipe asks for an auxiliary head that the network cannot have.
    """
    spec = tasks.get(task)
    if space not in DARTS_SPACES:
        if recipe.auxiliary or recipe.drop_path:
            raise HarnessError(
                f"The networks of {space} have no auxiliary head and no paths to drop; set "
                "train.auxiliary=0 train.drop_path=0."
            )
        return spaces.get(space).network(key, spec)
    if recipe.auxiliary and spec.image_side != 32:
        raise HarnessError(
            f"The auxiliary head needs 32×32 images, but those of {task} are {spec.image_side} "
            "wide; set train.auxiliary=0."
        )
    skeleton = Skeleton(recipe.channels, recipe.layers, auxiliary=recipe.auxiliary > 0)
    return Network(parse(key), skeleton, spec.outputs)


def _key(config: Config) -> str:
    space, architecture = spaces.get(config.space), config.train.architecture
    space.task(config.task)
    if not architecture:
        raise HarnessError(
            "No architecture to train; name one with train.architecture, a key as found.csv of a "
            "search has it."
        )
    if architecture.startswith("Genotype("):
        architecture = from_genotype(architecture)
    return space.canonical(architecture)


def _data(task: str) -> tuple[Pixels, Pixels]:
    """Returns training and test images of the task's own data set."""
    spec = tasks.get(task)
    bank = banks.get(spec.bank)
    if task == "digits":
        split = digits.train_test_split()
        parts = [
            (split.train_images, split.train_labels),
            (split.test_images, split.test_labels),
        ]
    else:
        contents = [read_bank(name) for name in (bank.name, f"{bank.dataset}_test")]
        parts = [(c.images, c.labels) for c in contents if c.labels is not None]
    training, test = (Pixels(images, labels, bank.mean, bank.std) for images, labels in parts)
    return training, test


def _run(training: FinalTraining, data: Pixels, test: Pixels, folder: Path) -> None:
    """Trains what is left of the epochs, saving after each."""
    make_writable(folder)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        training.load(checkpoint)
        console.print(f"{folder.name}: goes on after epoch {training.epoch}.", highlight=False)
    left = range(training.epoch, training.recipe.epochs)
    for _ in track(left, description=folder.name, console=console, disable=not left):
        row = training.train_epoch(data)
        training.history.append(row | {"test_accuracy": training.accuracy(test)})
        training.save(checkpoint)
    figures.write_tables(pd.DataFrame(training.history), folder / "log", ("csv",))


jobs.add("train", train)
