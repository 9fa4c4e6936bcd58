"""``job=train_truth``: measures ground truth by training a sample of a space from scratch.

The data are scikit-learn's handwritten digits, or the user's own labelled images in an ``.npz``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray

from harness import seeds
from harness.config import Config, parse_seeds
from harness.errors import HarnessError
from harness.files import atomic
from harness.inputs import banks, digits, to_tensor
from harness.jobs.base import jobs
from harness.runs.work import blocks, run_shards
from harness.spaces import spaces
from harness.store import ShardFolder
from harness.training.recipe import LabelledImages, Recipe, accuracy, train

SCHEMA = pa.schema(
    [
        ("space", pa.string()),
        ("task", pa.string()),
        ("key", pa.string()),
        ("training_seed", pa.int64()),
        ("recipe", pa.string()),
        ("accuracy", pa.float64()),
    ]
)
IDENTITY = ["space", "task", "key", "training_seed", "recipe"]


@dataclass(frozen=True)
class TrainingShard:
    """Some architectures to train, each with every training seed."""

    space: str
    task: str
    keys: tuple[str, ...]
    training_seeds: tuple[int, ...]
    recipe: Recipe
    device: str
    folder: Path


def train_truth(config: Config) -> Path:
    """Trains the ``n`` architectures of seed 0's sample, once per training seed.

    Returns:
        The table: key and one accuracy per training seed, with the recipe as comments.
    """
    if config.task != "digits":
        raise HarnessError(
            f"Only the bundled digits can be trained on so far, not {config.task}; use task=digits."
        )
    space = spaces.get(config.space)
    space.task(config.task)
    keys = tuple(space.sample(config.n, seed=0))
    training_seeds = tuple(parse_seeds(config.training_seeds))
    folder = Path(config.results) / config.space / config.task / "training"
    store = ShardFolder(folder / "shards", SCHEMA, IDENTITY)
    finished = set(_accuracies(store, config.training, training_seeds).index)
    missing = [key for key in keys if key not in finished]
    whole = TrainingShard(
        config.space,
        config.task,
        keys,
        training_seeds,
        config.training,
        config.device,
        store.folder,
    )
    shards = [dataclasses.replace(whole, keys=tuple(block)) for block in blocks(missing, size=2)]
    run_shards(
        train_shard,
        shards,
        config.executor,
        title=f"training {config.space} on {config.task}",
        done=len(keys) - len(missing),
        total=len(keys),
    )
    path = folder / f"{config.space}_{config.task}.csv"
    _write_table(path, _accuracies(store, config.training, training_seeds).loc[list(keys)], whole)
    return path


def train_shard(shard: TrainingShard) -> int:
    """Trains the architectures of one shard and stores their accuracies; returns how many."""
    split = digits.train_test_split()
    training = _on_device(split.train_images, split.train_labels, shard.device)
    test = _on_device(split.test_images, split.test_labels, shard.device)
    space = spaces.get(shard.space)
    rows = []
    for key in shard.keys:
        for seed in shard.training_seeds:
            network = space.build(key, shard.task, seed).to(shard.device)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            with seeds.torch_stream("training", seed, key, device=shard.device):
                train(network, training, shard.recipe, seed)
            result = accuracy(network, test)
            rows.append((shard.space, shard.task, key, seed, str(shard.recipe), result))
    work = (shard.space, shard.task, shard.keys, shard.training_seeds, shard.recipe)
    store = ShardFolder(shard.folder, SCHEMA, IDENTITY)
    store.write(work, pd.DataFrame(rows, columns=SCHEMA.names))
    return len(shard.keys)


def _on_device(images: NDArray[np.uint8], labels: NDArray[np.int64], device: str) -> LabelledImages:
    tensor = to_tensor(images, banks.get("digits_train"))
    return LabelledImages(tensor, torch.from_numpy(labels)).to(device)


def _accuracies(
    store: ShardFolder, recipe: Recipe, training_seeds: tuple[int, ...]
) -> pd.DataFrame:
    """Returns key by training seed, only the architectures that have every seed."""
    rows = store.read()
    rows = rows[(rows.recipe == str(recipe)) & rows.training_seed.isin(training_seeds)]
    table = rows.pivot_table(index="key", columns="training_seed", values="accuracy")
    return table.reindex(columns=list(training_seeds)).dropna()


def _write_table(path: Path, accuracies: pd.DataFrame, shard: TrainingShard) -> None:
    spread = accuracies.std(axis=1, ddof=1)
    between = accuracies.corr(method="spearman").to_numpy()
    pairs = between[np.triu_indices_from(between, k=1)]
    head = [
        f"Top-1 test accuracy in percent of {len(accuracies)} {shard.space} architectures (the "
        f"first of seed 0's sample) on {shard.task}, one column per training seed.",
        f"{digits.TRAIN} training and {digits.TEST} test images of scikit-learn's digits.",
        f"{shard.recipe}; no augmentation; the network that is scored, default initialisation.",
        f"Accuracies from {accuracies.to_numpy().min():.1f} to {accuracies.to_numpy().max():.1f}; "
        f"standard deviation between training seeds {spread.mean():.2f} on average, between "
        f"architectures {accuracies.mean(axis=1).std():.2f}.",
        f"Spearman between two training seeds {pairs.mean():.3f} on average."
        if len(pairs)
        else "One training seed.",
        f"Made by: python -m harness job=train_truth space={shard.space} task={shard.task} "
        f"n={len(accuracies)}",
    ]
    columns = {seed: f"accuracy_{seed}" for seed in accuracies.columns}
    table = accuracies.rename(columns=columns).round(4).to_csv(lineterminator="\n")
    with atomic(path) as temporary:
        temporary.write_text("".join(f"# {line}\n" for line in head) + table)


jobs.add("train_truth", train_truth)
