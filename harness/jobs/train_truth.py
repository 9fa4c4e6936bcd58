"""``job=train_truth``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job
from harness.training.truth_recipe import TruthRecipe


@job()
def train_truth(config: Config, recipe: TruthRecipe, n: int = 1000) -> Path:
    """Measures ground truth by training architectures from scratch, once per training seed.

    More architectures of the sample and more training seeds under the same conditions add up.

    Args:
        config: What every job shares; ``seed`` is that of the sample.
        recipe: How to train.
        n: Architectures, the first of the sample.

    Returns:
        The folder ``results/<study>/<space>/<task>`` with ``accuracies.csv``: key, one accuracy in
        percent per training seed, and the recipe as comments.
    """
    from harness.training.measured_truth import train_sample

    return train_sample(config, recipe, n)
