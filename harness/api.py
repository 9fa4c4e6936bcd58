"""What people import; no command line and no configuration files are involved.

Example:
    from harness import api

    space = api.spaces.get("nb201")
    key = space.sample(1, seed=0)[0]
    network = space.build(key, task="cifar10", seed=0)
    scores = api.score(network, (images, labels), proxies=["swap", "snip", "jacov"])
    table = api.evaluate("nb201", "cifar100", proxies="default", n=200, seeds=range(5))
    api.summary(table)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from torch import nn

from harness import evaluation, truth
from harness.adapters import from_naslib
from harness.config import Config, TruthSettings
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.core.temporary import nothing_kept
from harness.core.typed import checked
from harness.core.types import Batch, Score
from harness.executors.executor import ExecutorSettings, executors
from harness.inputs.batch import load_batch
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes.settings import RegulariserSettings, SwapSettings
from harness.proxies.contract import populations, proxies
from harness.proxies.sets import proxy_sets, resolved
from harness.results import scores
from harness.scoring.given_batch import BatchLike, as_batch
from harness.scoring.given_network import score_given
from harness.scoring.scope import Scope
from harness.scoring.several_networks import Networks, score_each
from harness.spaces.space import spaces
from harness.stats import correlations
from harness.stats import summary as summarised

__all__ = [
    "Batch",
    "InputSettings",
    "RegulariserSettings",
    "Score",
    "Settings",
    "SwapSettings",
    "batch",
    "correlate",
    "evaluate",
    "from_naslib",
    "proxies",
    "proxy_sets",
    "score",
    "score_many",
    "scores",
    "spaces",
    "summary",
    "tasks",
    "truth",
]

correlate = checked(correlations)
summary = checked(summarised)


@checked
def score(
    network: nn.Module,
    batch: BatchLike,
    proxies: Sequence[str] | str = "all",
    *,
    settings: Settings | Iterable[object] = (),
    seed: int = 0,
) -> dict[str, Score]:
    """Scores any network with any proxies, from the fewest passes.

    The network is scored with the weights that it has and is left exactly as it was.

    Args:
        network: Maps N×C×H×W images (or N×L×C tokens) to outputs: a tensor, or a tuple or mapping
            with one, or whose ``logits`` or ``out`` is one. Activations and poolings may be modules
            or functions; weights that are computed (weight norm, parametrizations) count as the
            layers use them. snip and its kin look at convolutions and linear layers alone, and
            flops at modules.
        batch: A ``Batch``, images, (images, labels), or a mapping with ``pixel_values`` and
            ``labels``; tensors, or arrays of numpy. SWAP looks at its first 32 images (see
            ``SwapSettings``), all other proxies at the whole batch.
        proxies: Names of proxies or of sets of them, or ``"all"``; those that rank a whole
            population have no score for one network: they are left out of sets.
        settings: Records of settings, ``[SwapSettings(images=8)]``; reg_swap needs
            ``RegulariserSettings`` with mu and sigma.
        seed: Names the random streams of proxies that draw numbers.

    Returns:
        Proxy name -> score; what cannot be computed has a status and a message instead of a value.

    Raises:
        HarnessError: If a proxy is unknown or ranks a population, the batch is not one, or the
            network cannot be looked into: a scripted one, or one in half precision or without
            memory for its weights.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> network = nn.Sequential(
        ...     nn.Conv2d(3, 8, 3), nn.ReLU(),
        ...     nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10),
        ... )
        >>> images, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 10
        >>> scores = score(network, (images, labels), proxies=["params", "snip"])
        >>> scores["params"].value, scores["snip"].status
        (0.000314, 'ok')
    """
    for name in [proxies] if isinstance(proxies, str) else proxies:
        if name in populations:
            raise HarnessError(
                f"{name} ranks networks among each other and has no score for one; "
                "score several with score_many."
            )
    names = [name for name in resolved(proxies) if name not in populations]
    return score_given(network, as_batch(batch), ("api", seed), names, Settings(*settings))


@checked
def score_many(
    networks: Networks,
    batch: BatchLike,
    proxies: Sequence[str] | str = "all",
    *,
    settings: Settings | Iterable[object] = (),
    seed: int = 0,
) -> pd.DataFrame:
    """Scores networks one after the other on the same batch, each as ``score`` does.

    Proxies that rank a whole population rank these networks among each other.

    Args:
        networks: By name, as a mapping or as pairs; networks alone are numbered from 0. A generator
            is asked for one network at a time, so that no more need be in memory.
        batch: As for ``score``.
        proxies: As for ``score``; those that look at accuracies are left out of sets.
        settings: As for ``score``.
        seed: As for ``score``.

    Returns:
        One row per network and proxy: ``network``, ``proxy``, ``value``, ``status``, ``seconds``
        and ``message``. A network that cannot be looked into has the status ``error``.

    Raises:
        HarnessError: If a proxy is unknown, the batch is not one, two networks have one name, there
            is no network, or none can be looked into.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> networks = {
        ...     f"{width} wide": nn.Sequential(
        ...         nn.Conv2d(3, width, 3), nn.ReLU(),
        ...         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10),
        ...     )
        ...     for width in (8, 16)
        ... }
        >>> table = score_many(networks, torch.randn(16, 3, 8, 8), ["params", "flops"])
        >>> wide = table.pivot(index="network", columns="proxy", values="value")
        >>> wide["params"].to_dict()
        {'16 wide': 0.000618, '8 wide': 0.000314}
    """
    return score_each(networks, as_batch(batch), ("api", seed), proxies, Settings(*settings))


@checked
def evaluate(
    space: str,
    task: str,
    proxies: Sequence[str] | str = "default",
    n: int = 1000,
    seeds: int | Iterable[int] = 0,
    *,
    inputs: InputSettings | str = "task",
    truth: str = "default",
    truth_path: Path | str | None = None,
    settings: Settings | Iterable[object] = (),
    batch_size: int = 64,
    device: str = "cpu",
    executor: ExecutorSettings | str = "processes",
    results: Path | str | None = None,
    study: str = "",
) -> pd.DataFrame:
    """Scores a sample of a space and joins it with the ground truth: the main job as a function.

    Args:
        space: Search space.
        task: Task of the space.
        proxies: Names of proxies or of sets of them, or ``"all"``.
        n: Architectures per seed.
        seeds: Which draws of architectures, batches and weights.
        inputs: Which images: their name, or all choices about them.
        truth: Variant of the ground truth.
        truth_path: Your own file of ground truth, see ``truth.load``.
        settings: Records of settings, ``[SwapSettings(images=32)]``.
        batch_size: Images of the minibatch.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        executor: Where the work runs: its name, or its settings. Processes import your script
            anew: guard its main part with ``if __name__ == "__main__"``, or take ``"local"``.
        results: Folder that keeps scores and gets tables and pictures, as the command line leaves
            them; None keeps nothing.
        study: Name of the study in that folder.

    Returns:
        The table that ``scores.of_study`` describes, for ``correlate`` and ``summary``.

    Raises:
        HarnessError: If a name or a setting is wrong.
        DataError: If ground truth or images cannot be had.
    """
    if isinstance(executor, str):
        executor = executors.get(executor).settings(name=executor)
    if isinstance(inputs, str):
        inputs = InputSettings(inputs)
    chosen = Settings(*settings)
    scope = Scope(proxies, n=n, batch_size=batch_size)
    with nothing_kept() as temporary:
        config = Config(
            space=space,
            task=task,
            seed=seeds if isinstance(seeds, int) else list(seeds),
            device=device,
            results=str(results or temporary),
            study=study,
            inputs=inputs,
            truth=TruthSettings(truth, None if truth_path is None else str(truth_path)),
            executor=executor,
            sections=Settings(scope, *chosen),
        )
        found = evaluation.evaluate(config, scope, chosen)
        if results is not None:
            evaluation.write(found, config, scope)
    return found.scores


@checked
def batch(
    task: str,
    *,
    inputs: InputSettings | None = None,
    seed: int = 0,
    size: int = 64,
) -> Batch:
    """Returns the batch that the harness itself scores networks on.

    Args:
        task: A task, for example ``"cifar10"``.
        inputs: Which images; the task's own by default.
        seed: Which batch.
        size: Number of images.

    Raises:
        HarnessError: If the task or the images do not exist.
    """
    return load_batch(tasks.get(task), inputs or InputSettings(), seed, size)
