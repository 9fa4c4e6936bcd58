"""``job=train_selected``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import Config
from harness.jobs.job import job
from harness.training.architecture_recipe import ArchitectureRecipe


@job()
def train_selected(
    config: Config,
    recipe: ArchitectureRecipe,
    searches: Any = (),
    search_seeds: Any = None,
    incomplete: bool = False,
) -> Path:
    """Trains what searches selected, with every seed, and collects test errors into a table.

    Each training is one shard: ``processes`` trains one per GPU, and what is killed goes on after
    its last finished epoch. More searches and seeds under the same conditions add up.

    Args:
        config: What every job shares; ``seed`` are the training seeds.
        recipe: How to train; ``experiment=train_mobile`` and ``experiment=train_imagenet`` are the
            papers' other two recipes.
        searches: Folders of searches: results of job=swap_nas or job=zero_cost_pt.
        search_seeds: Which of their seeds, as seed= has them; null takes all.
        incomplete: Train although only a part of the images is here.

    Returns:
        The folder ``results/<study>/<space>/<task>`` with ``table.csv``, a row per search: mean,
        deviation and best of the test error beside the printed ones; and ``trainings.csv``.
    """
    from harness.training.selected_trainings import train_selected_architectures

    return train_selected_architectures(
        config, recipe, searches, search_seeds, incomplete=incomplete
    )
