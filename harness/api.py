"""What people import; no command line and no configuration files are involved.

from harness import api
space = api.spaces.get("nb201")
key = space.sample(1, seed=0)[0]
network = space.build(key, task="cifar10", seed=0)
scores = api.score(network, (images, labels), proxies=["swap", "snip", "jacov"])
table = api.truth.load("nb201", "cifar100")
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from harness import engine, truth
from harness.errors import HarnessError
from harness.inputs import InputSettings, load_batch
from harness.passes import RegulariserSettings, Run, Settings, SwapSettings
from harness.proxies import proxies
from harness.spaces import spaces
from harness.stats import correlations, summary
from harness.tasks import tasks
from harness.types import Batch, Score

__all__ = [
    "Batch",
    "InputSettings",
    "RegulariserSettings",
    "Score",
    "Settings",
    "SwapSettings",
    "batch",
    "correlate",
    "proxies",
    "score",
    "spaces",
    "summary",
    "tasks",
    "truth",
]

correlate = correlations


def score(
    network: nn.Module,
    batch: Batch | Tensor | tuple[Tensor, Tensor],
    proxies: Sequence[str] | str = "all",
    *,
    settings: Settings | None = None,
    seed: int = 0,
) -> dict[str, Score]:
    """Scores any network with any proxies, from the fewest passes.

    The network is scored with the weights that it has and is left exactly as it was.

    Args:
        network: Maps N×C×H×W images to outputs. Its activations must be modules (``nn.ReLU``), not
            functional calls, to be seen by nwot, swap and their kin.
        batch: A ``Batch``, or images, or (images, labels). SWAP looks at its first 16 images (see
            ``SwapSettings``), all other proxies at the whole batch.
        proxies: Names of proxies, or ``"all"``.
        settings: Choices that change values; reg_swap needs ``regulariser`` with mu and sigma.
        seed: Names the random streams of proxies that draw numbers.

    Returns:
        Proxy name -> score; what cannot be computed has a status and a message instead of a value.

    Raises:
        HarnessError: If a proxy is unknown or the batch is not one.

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
    names = _names(proxies)
    run = Run(network, _as_batch(batch), settings or Settings(), ("api", seed))
    return engine.score(run, names)


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


def _names(asked: Sequence[str] | str) -> list[str]:
    if asked == "all":
        return proxies.names()
    return [asked] if isinstance(asked, str) else list(asked)


def _as_batch(given: Batch | Tensor | tuple[Tensor, Tensor]) -> Batch:
    if isinstance(given, Batch):
        return given
    if isinstance(given, Tensor):
        return Batch(given)
    if isinstance(given, (tuple, list)) and len(given) == 2:
        return Batch(*given)
    raise HarnessError(
        f"A batch is a tensor of images, (images, labels) or an api.Batch, not {type(given)}."
    )
