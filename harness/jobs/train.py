"""``job=train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import Config
from harness.jobs.job import job
from harness.training.architecture_recipe import ArchitectureRecipe


@job()
def train(
    config: Config, recipe: ArchitectureRecipe, architecture: Any = None, incomplete: bool = False
) -> Path:
    """Trains one architecture from scratch, once per seed, with checkpoints.

    Kill it at any moment and start it again: it goes on after the last finished epoch and ends with
    the same weights. More seeds under the same conditions add up.

    Args:
        config: What every job shares.
        recipe: How to train.
        architecture: Its key in the space, in any spelling that docs/keys.md lists, or its index.
        incomplete: Train although only a part of the training images is here.

    Returns:
        The folder ``results/<study>/<space>/<task>/<architecture>`` with ``log.csv``: seed, epoch,
        learning rate, mean loss and test accuracy in percent. The weights lie with the checkpoints
        in ``results/.work/train``.
    """
    from harness.training.trained_architectures import train_seeds

    return train_seeds(config, recipe, architecture, incomplete=incomplete)
