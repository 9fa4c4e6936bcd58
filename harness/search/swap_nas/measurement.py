"""How a search evaluates an architecture: a proxy's score of its network, SWAP-NAS's Ψ regularised.

Score and Θ of an architecture are measured once and remembered; μ and σ only enter the fitness, so
that searches with other μ share measurements.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from harness import truth
from harness.config import TruthSettings
from harness.core import seeds
from harness.core.errors import HarnessError, unknown
from harness.core.machine import machine
from harness.core.sections import Place
from harness.core.types import Status
from harness.passes.settings import RegulariserSettings
from harness.proxies.contract import proxies
from harness.scoring.conditions import Conditions, sampled_sizes
from harness.spaces import darts_space
from harness.spaces.space import Space, spaces

if TYPE_CHECKING:
    from torch import nn

REG_SWAP, TRUTH = "reg_swap", "truth"
"""What SWAP-NAS maximises, and the accuracy itself: what a search with a perfect score finds."""


@dataclass(frozen=True)
class Measurement:
    """What was measured of one architecture.

    Attributes:
        key: The architecture.
        value: The proxy's score, for SWAP the number of distinct patterns Ψ, or the accuracy; NaN
            where it is undefined.
        params: Number of parameters of the scored network, or of what the space's Θ means.
        seconds: Time to build and score the network.
        status: ``ok`` or ``undefined``.
        machine: What measured it, as JSON.
    """

    key: str
    value: float
    params: int
    seconds: float
    status: Status
    machine: str = ""


@dataclass(frozen=True)
class Scorer:
    """Everything that decides the score of an architecture.

    Attributes:
        conditions: Space, task, images, settings and device.
        channels: DARTS: channels of the scored network.
        layers: DARTS: cells of the scored network.
        seed: Fixes batch and weights; the weights also depend on the key.
        proxy: Whose score; ``truth`` looks the accuracy up instead.
        truth: Which accuracy.
    """

    conditions: Conditions
    channels: int
    layers: int
    seed: int
    proxy: str
    truth: TruthSettings

    def described(self) -> dict[str, Any]:
        """Returns what decides the score besides the architecture and the seed, as JSON has it."""
        small = {"channels": self.channels, "layers": self.layers}
        return {
            **self.conditions.shared(),
            self.proxy: self._own(),
            "network": small if self.conditions.space == "darts" else None,
        }

    def _own(self) -> dict[str, Any]:
        return asdict(self.truth) if self.proxy == TRUTH else self.conditions.own(self.proxy)

    def measure(self, key: str) -> Measurement:
        """Scores the network of an architecture, or looks its accuracy up.

        Raises:
            HarnessError: If the network does not run; a search cannot go on without its score.
        """
        start = time.perf_counter()
        space = scored_space(self.conditions.space, self.channels, self.layers)
        value, status = (_looked_up if self.proxy == TRUTH else _scored)(self, space, key)
        seconds = time.perf_counter() - start
        params = space.theta_params(key, self.conditions.task)
        computed_on = json.dumps(machine(self.conditions.device), sort_keys=True)
        return Measurement(key, value, params, seconds, status, computed_on)


def _scored(scorer: Scorer, space: Space, key: str) -> tuple[float, Status]:
    """Builds the network, scores it and lets it go."""
    from harness.passes.run import Run
    from harness.passes.transfer import on_device
    from harness.scoring import engine

    task, seed = scorer.conditions.task, scorer.seed
    network = on_device(space.build(key, task, seed), scorer.conditions.device)

    def redraw(repeat: int) -> nn.Module:
        return space.build(key, task, seeds.stream("repeat", seed, repeat))

    run = Run(network, scorer.conditions.batch(seed), (seed, key), redraw=redraw)
    score = engine.score(run, [scorer.proxy], scorer.conditions.settings)[scorer.proxy]
    if score.status not in ("ok", "undefined"):
        raise HarnessError(
            f"The search cannot go on: {key} of {space.name} gives no score ({score.message}); "
            "what was scored before is kept."
        )
    return score.value, score.status


def _looked_up(scorer: Scorer, space: Space, key: str) -> tuple[float, Status]:
    known = _accuracies(space.name, scorer.conditions.task, scorer.truth)
    return (known[key], "ok") if key in known else (math.nan, "undefined")


@cache
def _accuracies(space: str, task: str, chosen: TruthSettings) -> dict[str, float]:
    table = truth.load(space, task, chosen.variant, chosen.path)
    return dict(zip(table["key"], table["value"], strict=True))


@cache
def scored_space(name: str, channels: int, layers: int) -> Space:
    """Returns the space with the networks that a search scores: small ones for DARTS."""
    return darts_space.ScoredDarts(channels, layers) if name == "darts" else spaces.get(name)


@dataclass(frozen=True)
class Objective:
    """What a search maximises: a score or, SWAP-NAS's own, Ψ' = Ψ · exp(−(Θ − μ)² / σ).

    The latter is of the SWAP paper, eqs. 5 and 6.

    Attributes:
        name: ``reg_swap``, a proxy or ``truth``.
        mu: μ, in ``unit`` parameters; 0 where nothing is regularised.
        sigma: σ, in ``unit`` parameters; 0 where nothing is regularised.
        unit: How many parameters make Θ = 1: 1e3 for the small DARTS networks, 1e6 for the
            benchmarks' own.
    """

    name: str
    mu: float
    sigma: float
    unit: float

    @property
    def regularised(self) -> bool:
        """Whether size enters."""
        return self.name == REG_SWAP

    def theta(self, params: int) -> float:
        """Returns Θ."""
        return params / self.unit

    def score(self, measured: Measurement) -> float:
        """Returns the score, Ψ' in float64; 0 where that underflows, NaN where it is undefined."""
        if not self.regularised:
            return measured.value
        return measured.value * math.exp(self._exponent(measured.params))

    def fitness(self, measured: Measurement) -> float:
        """Returns what is maximised; −inf where the score is undefined.

        Of Ψ' it is the logarithm, which ranks alike but cannot underflow; of a proxy whose low
        scores promise good networks, it is the negative score.
        """
        if measured.status != "ok":
            return -math.inf
        if self.regularised:
            exponent = self._exponent(measured.params)
            return math.log(measured.value) + exponent if measured.value > 0 else -math.inf
        lower = self.name != TRUTH and proxies.get(self.name).direction == "lower"
        return -measured.value if lower else measured.value

    def _exponent(self, params: int) -> float:
        return -((self.theta(params) - self.mu) ** 2) / self.sigma


def objective_of(
    space: Space, task: str, mu: float | None, sigma: float | None, name: str = REG_SWAP
) -> Objective:
    """Returns an objective, with the space's own μ and σ where they are not given."""
    place = Place(space.name, task, batch_size=0, sizes=partial(sampled_sizes, space, task))
    chosen = RegulariserSettings(mu, sigma).at(place)
    mu, sigma = (chosen.mu, chosen.sigma) if name == REG_SWAP else (0.0, 0.0)
    return Objective(name, mu, sigma, chosen.unit or 1)


def scored_by(objective: str) -> str:
    """Returns the proxy whose scores an objective is made of; ``truth`` is one by itself.

    Raises:
        HarnessError: If there is no such objective.
    """
    if objective in (REG_SWAP, TRUTH):
        return {REG_SWAP: "swap"}.get(objective, objective)
    if objective not in proxies:
        raise unknown("search.objective", objective, [TRUTH, *proxies])
    return objective


class Evaluator:
    """Evaluates keys, measuring each only once.

    Args:
        measure: Measures an architecture.
        objective: What is made of it.
        known: Measurements of an earlier run, by key.
        save: Takes new measurements, ``block`` at a time; ``flush`` hands over the rest.
        block: How many; a killed search loses at most so many.
    """

    def __init__(
        self,
        measure: Callable[[str], Measurement],
        objective: Objective,
        known: Mapping[str, Measurement],
        save: Callable[[list[Measurement]], object],
        block: int = 200,
    ) -> None:
        self.measured = dict(known)
        self._measure = measure
        self._objective = objective
        self._save = save
        self._block = block
        self._unsaved: list[Measurement] = []

    def __call__(self, key: str) -> float:
        """Returns the fitness of an architecture."""
        if key not in self.measured:
            self.measured[key] = self._measure(key)
            self._unsaved.append(self.measured[key])
            if len(self._unsaved) >= self._block:
                self.flush()
        return self._objective.fitness(self.measured[key])

    def flush(self) -> None:
        """Saves what is not saved yet."""
        if self._unsaved:
            self._save(self._unsaved)
            self._unsaved = []
