"""Scores one network, an architecture of a space or the user's own, with every seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.config import Config
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.core.types import Score
from harness.executors.executor import execute
from harness.proxies.sets import resolved, scored
from harness.scoring.conditions import Conditions, check_device, conditions_at, without_images
from harness.scoring.scope import ProxyChoice
from harness.spaces.space import Space, spaces


@dataclass(frozen=True)
class SingleNetwork:
    """One network with the weights and the batch of one seed.

    Attributes:
        conditions: How scores arise.
        proxies: By what it is scored.
        seed: Which weights and batch.
        key: The architecture; empty for a network of the user's own.
        model: What builds that network.
    """

    conditions: Conditions
    proxies: tuple[str, ...]
    seed: int
    key: str = ""
    model: str = ""


def score_single(
    config: Config, choice: ProxyChoice, settings: Settings, architecture: object, model: str
) -> list[dict[str, Any]]:
    """Scores one network with every seed of the configuration.

    Args:
        config: Space, task, seeds, inputs, device and executor.
        choice: Proxies and batch size.
        settings: Those of passes and proxies.
        architecture: A key of the space, or an index into the keys that it lists; or None.
        model: Instead of that, what builds a network of the user's own.

    Returns:
        One row per seed and proxy: space, task, key, proxy, seed, value, status, seconds, message.
        Of a proxy that ranks a whole population, the parts that it is made of are scored.

    Raises:
        HarnessError: If a name or a setting is wrong, or not exactly one network is named.
    """
    names = scored(resolved(choice.proxies, choice.proxy_sets), settings)
    space = spaces.get(config.space)
    space.task(config.task)
    asked = Conditions(
        config.space,
        config.task,
        config.inputs,
        choice.batch_size,
        config.device,
        config.channels_last,
        settings,
    )
    if (architecture is None) == (not model):
        raise HarnessError(
            "job=score needs one network: architecture=KEY of the space, architecture=INDEX of "
            "its enumeration, or model=FILE.py:FUNCTION of your own."
        )
    key = "" if model else key_of(space, architecture)
    settled = conditions_at(asked, names) if key else without_images(asked, names)
    items = [SingleNetwork(settled, names, seed, key, model) for seed in config.seeds]
    found = dict(execute(score_seed, items, config.executor))
    return [
        {
            "space": "" if model else config.space,
            "task": config.task,
            "key": key or model,
            "proxy": name,
            "seed": seed,
            **asdict(score),
        }
        for seed in config.seeds
        for name, score in found[seed].items()
    ]


def key_of(space: Space, architecture: object) -> str:
    """Returns the canonical key that a key, however it is written, or an index means.

    Raises:
        HarnessError: If there is no such architecture, or an index into a space without indices.
    """
    if isinstance(architecture, int):
        return space.key_at(architecture)
    return space.canonical(str(architecture))


def score_seed(item: SingleNetwork) -> tuple[int, dict[str, Score]]:
    """Returns the seed and the scores by proxy."""
    from harness.scoring.shard import score_architecture

    conditions = item.conditions
    check_device(conditions.device)
    if item.key:
        return item.seed, score_architecture(conditions, item.key, item.seed, item.proxies)
    from harness.scoring.given_network import score_given
    from harness.scoring.own_network import build_own

    network = build_own(item.model, item.seed).to(conditions.device)
    batch, stream = conditions.batch(item.seed), (item.seed, item.model)
    return item.seed, score_given(network, batch, stream, item.proxies, conditions.settings)
