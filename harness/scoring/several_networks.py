"""Scores networks that somebody hands over, as one table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

import pandas as pd
from torch import nn

from harness.core.errors import HarnessError, shown
from harness.core.sections import Settings
from harness.core.types import Batch, Score
from harness.proxies.contract import seeing_truth
from harness.proxies.sets import resolved, scored
from harness.scoring.given_batch import check_batch
from harness.scoring.given_network import score_given
from harness.scoring.study import with_populations

Networks = Mapping[str, nn.Module] | Iterable[nn.Module | tuple[str, nn.Module]]


def score_each(
    networks: Networks,
    batch: Batch,
    stream: tuple[object, ...],
    asked: Sequence[str] | str,
    settings: Settings,
) -> pd.DataFrame:
    """Scores networks one after the other; see ``harness.api.score_many``.

    Args:
        networks: By name, or numbered.
        batch: What all of them are shown.
        stream: Name of the random stream of each.
        asked: Names of proxies or of sets of them.
        settings: What passes and proxies read.

    Raises:
        HarnessError: If there is nothing to score, or a name is wrong.
    """
    blind = [name for name in resolved(asked) if name in asked or not seeing_truth([name])]
    names = scored(blind, settings)
    check_batch(batch)
    scores: dict[str, dict[str, Score]] = {}
    refused: dict[str, HarnessError] = {}
    for name, network in _named(networks):
        try:
            scores[name] = score_given(network, batch, stream, names, settings)
        except HarnessError as error:
            refused[name] = error
            scores[name] = dict.fromkeys(names, Score(math.nan, "error", 0.0, str(error)))
    if not scores:
        raise HarnessError("There is no network to score.")
    if len(refused) == len(scores):
        raise next(iter(refused.values()))
    rows = [
        {"network": name, "proxy": proxy, **asdict(score)}
        for name, of_network in scores.items()
        for proxy, score in of_network.items()
    ]
    table = pd.DataFrame(rows).assign(seed=0, conditions="")  # which rankings group and join
    return with_populations(table, blind, settings).drop(columns=["seed", "conditions"])


def _named(networks: Networks) -> Iterator[tuple[str, nn.Module]]:
    """Yields name and network.

    Raises:
        HarnessError: If this is one network, or a name comes twice.
    """
    if isinstance(networks, nn.Module):
        raise HarnessError(
            "This is one network, which api.score scores; give several, as a list or by name."
        )
    seen: set[str] = set()
    listed = networks.items() if isinstance(networks, Mapping) else networks
    for place, one in enumerate(listed):
        name, network = one if isinstance(one, tuple) and len(one) == 2 else (place, one)
        if str(name) in seen:
            raise HarnessError(f"Two networks are called {shown(str(name))}; give each a name.")
        seen.add(str(name))
        yield str(name), network
