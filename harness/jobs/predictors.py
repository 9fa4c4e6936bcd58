"""``job=predictors``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job
from harness.results.layout import MAIN


@job(one_space=False)
def predictors(
    config: Config, of: str = MAIN, splits: int = 20, models: list[str] | None = None
) -> Path:
    """Fits models to trained architectures: do proxies help to predict the accuracy of others?

    Gradient boosting and random forests on the encoded cell, graph features, stored scores and
    their unions, for 10 to 1000 trained architectures. Minutes per column; ``job=analysis`` draws
    what it leaves.

    Args:
        config: What every job shares.
        of: The study whose scores are features.
        splits: How often each column's architectures are split into trained and ranked ones.
        models: Of ``boosting``, ``forest`` and, with the extra of that name, ``xgboost``; null: the
            first two.

    Returns:
        The folder ``results/<study>``, with ``<space>/<task>/learning_curves.csv``.
    """
    from harness.analyses.fitted_models import fit_models

    return fit_models(config, of, splits, models)
