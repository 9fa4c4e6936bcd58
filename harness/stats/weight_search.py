"""Bayesian optimisation of a few weights: each trial is dear, the model of the trials is cheap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.stats.ranks import Floats

CANDIDATES = 2000  # at which the acquisition is looked at per trial
KAPPA = 2.576  # of the upper confidence bound
SCALE = 1.0  # of the kernel, in units of a weight
NOISE = 1e-6  # variance that keeps equal trials apart


def best_weights(
    value: Callable[[Floats], float], k: int, trials: int, random: np.random.Generator
) -> Floats:
    """Returns the best of some trials of k weights in [−1, 1].

    A Gaussian process with a Matérn 5/2 kernel models what was seen; each trial is where its upper
    confidence bound, mean plus 2.576 standard deviations, is highest among random candidates
    (Srinivas et al. 2010, "Gaussian Process Optimization in the Bandit Setting").

    Args:
        value: What a trial is worth.
        k: How many weights.
        trials: How many trials, at least 1.
        random: Where first trial and candidates come from.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    model = GaussianProcessRegressor(
        Matern(length_scale=SCALE, nu=2.5), alpha=NOISE, optimizer=None, normalize_y=True
    )
    tried = random.uniform(-1, 1, size=(1, k))
    worth = np.array([value(tried[0])])
    while len(worth) < trials:
        candidates = random.uniform(-1, 1, size=(CANDIDATES, k))
        mean, spread = model.fit(tried, worth).predict(candidates, return_std=True)
        chosen = candidates[np.argmax(mean + KAPPA * spread)]
        tried, worth = np.vstack([tried, chosen]), np.append(worth, value(chosen))
    best: Floats = tried[np.argmax(worth)]
    return best
