"""How a search evaluates an architecture: Ψ of its network, times the size regulariser.

Ψ and Θ of an architecture are measured once and remembered; μ and σ only enter the fitness, so
that searches with other μ share measurements.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.core.machine import machine
from harness.core.sections import Place
from harness.core.types import Status
from harness.passes.settings import RegulariserSettings
from harness.scoring.conditions import Conditions, sampled_sizes
from harness.spaces import darts_space
from harness.spaces.space import Space, spaces

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Measurement:
    """What was measured of one architecture.

    Attributes:
        key: The architecture.
        psi: Number of distinct patterns Ψ; NaN where it is undefined.
        params: Number of parameters of the scored network, or of what the space's Θ means.
        seconds: Time to build and score the network.
        status: ``ok`` or ``undefined``.
        machine: What measured it, as JSON.
    """

    key: str
    psi: float
    params: int
    seconds: float
    status: Status
    machine: str = ""


@dataclass(frozen=True)
class PatternScorer:
    """Everything that decides the Ψ of an architecture.

    Attributes:
        conditions: Space, task, images, SWAP's settings and device.
        channels: DARTS: channels of the scored network.
        layers: DARTS: cells of the scored network.
        seed: Fixes batch and weights; the weights also depend on the key.
    """

    conditions: Conditions
    channels: int
    layers: int
    seed: int

    def described(self) -> dict[str, Any]:
        """Returns what decides Ψ besides the architecture and the seed, as JSON has it."""
        small = {"channels": self.channels, "layers": self.layers}
        return {
            **self.conditions.shared(),
            "swap": self.conditions.own("swap"),
            "network": small if self.conditions.space == "darts" else None,
        }

    def measure(self, key: str) -> Measurement:
        """Builds the network of an architecture, scores it and lets it go.

        Raises:
            HarnessError: If the network does not run; a search cannot go on without its score.
        """
        from harness.passes.run import Run
        from harness.passes.transfer import on_device
        from harness.scoring import engine

        start = time.perf_counter()
        task, device = self.conditions.task, self.conditions.device
        space = scored_space(self.conditions.space, self.channels, self.layers)
        network = on_device(space.build(key, task, self.seed), device)

        def redraw(repeat: int) -> nn.Module:
            return space.build(key, task, seeds.stream("repeat", self.seed, repeat))

        run = Run(network, self.conditions.batch(self.seed), (self.seed, key), redraw=redraw)
        score = engine.score(run, ["swap"], self.conditions.settings)["swap"]
        if score.status not in ("ok", "undefined"):
            raise HarnessError(
                f"The search cannot go on: {key} of {space.name} gives no score ({score.message}); "
                "what was scored before is kept."
            )
        seconds = time.perf_counter() - start
        params = space.theta_params(key, task)
        computed_on = json.dumps(machine(device), sort_keys=True)
        return Measurement(key, score.value, params, seconds, score.status, computed_on)


@cache
def scored_space(name: str, channels: int, layers: int) -> Space:
    """Returns the space with the networks that a search scores: small ones for DARTS."""
    return darts_space.ScoredDarts(channels, layers) if name == "darts" else spaces.get(name)


@dataclass(frozen=True)
class Objective:
    """The regularised score Ψ' = Ψ · exp(−(Θ − μ)² / σ) (SWAP paper, eqs. 5 and 6).

    Attributes:
        mu: μ, in ``unit`` parameters.
        sigma: σ, in ``unit`` parameters.
        unit: How many parameters make Θ = 1: 1e3 for the small DARTS networks, 1e6 for the
            benchmarks' own.
    """

    mu: float
    sigma: float
    unit: float

    def theta(self, params: int) -> float:
        """Returns Θ."""
        return params / self.unit

    def score(self, measured: Measurement) -> float:
        """Returns Ψ' in float64; 0 where it underflows, NaN where Ψ is undefined."""
        return measured.psi * math.exp(self._exponent(measured.params))

    def fitness(self, measured: Measurement) -> float:
        """Returns ln Ψ', which ranks as Ψ' does but cannot underflow; −inf where Ψ is undefined."""
        if measured.status != "ok" or measured.psi <= 0:
            return -math.inf
        return math.log(measured.psi) + self._exponent(measured.params)

    def _exponent(self, params: int) -> float:
        return -((self.theta(params) - self.mu) ** 2) / self.sigma


def objective_of(space: Space, task: str, mu: float | None, sigma: float | None) -> Objective:
    """Returns the objective with the space's own μ and σ where they are not given."""
    place = Place(space.name, task, batch_size=0, sizes=partial(sampled_sizes, space, task))
    chosen = RegulariserSettings(mu, sigma).at(place)
    return Objective(chosen.mu, chosen.sigma, chosen.unit or 1)


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
