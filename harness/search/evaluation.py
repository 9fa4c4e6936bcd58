"""How a search evaluates an architecture: Ψ of its network, times the size regulariser.

Ψ and Θ of an architecture are measured once and remembered; μ and σ only enter the fitness, so
that searches with other μ share measurements.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from torch import nn

from harness import engine, seeds
from harness.errors import HarnessError
from harness.inputs import InputSettings, load_batch
from harness.passes import Run, Settings, SwapSettings
from harness.spaces import Space, darts_space, spaces
from harness.types import Batch, Status


@dataclass(frozen=True)
class Measurement:
    """What was measured of one architecture.

    Attributes:
        key: The architecture.
        psi: Number of distinct patterns Ψ; NaN where it is undefined.
        params: Number of parameters of the scored network, or of what the space's Θ means.
        seconds: Time to build and score the network.
        status: ``ok`` or ``undefined``.
    """

    key: str
    psi: float
    params: int
    seconds: float
    status: Status


@dataclass(frozen=True)
class Scorer:
    """Everything that decides the Ψ of an architecture.

    Attributes:
        space: Search space.
        task: Task, for the number of classes and the size of the images.
        inputs: Which images.
        swap: How many images, and initial weights.
        device: Where networks run.
        channels_last: Memory layout of the images.
        channels: DARTS: channels of the scored network.
        layers: DARTS: cells of the scored network.
        seed: Fixes batch and weights; the weights also depend on the key.
    """

    space: str
    task: str
    inputs: InputSettings
    swap: SwapSettings
    device: str
    channels_last: bool
    channels: int
    layers: int
    seed: int

    def measure(self, key: str) -> Measurement:
        """Builds the network of an architecture, scores it and lets it go.

        Raises:
            HarnessError: If the network does not run; a search cannot go on without its score.
        """
        start = time.perf_counter()
        space = scored_space(self.space, self.channels, self.layers)
        network = space.build(key, self.task, self.seed).to(self.device)

        def redraw(repeat: int) -> nn.Module:
            return space.build(key, self.task, seeds.stream("repeat", self.seed, repeat))

        run = Run(network, _batch(self), Settings(self.swap), (self.seed, key), redraw=redraw)
        score = engine.score(run, ["swap"])["swap"]
        if score.status not in ("ok", "undefined"):
            raise HarnessError(
                f"The search cannot go on: {key} of {self.space} gives no score ({score.message}); "
                "what was scored before is kept."
            )
        seconds = time.perf_counter() - start
        params = space.theta_params(key, self.task)
        return Measurement(key, score.value, params, seconds, score.status)


@cache
def scored_space(name: str, channels: int, layers: int) -> Space:
    """Returns the space with the networks that a search scores: small ones for DARTS."""
    return darts_space.ScoredDarts(channels, layers) if name == "darts" else spaces.get(name)


@cache
def _batch(scorer: Scorer) -> Batch:
    task = spaces.get(scorer.space).task(scorer.task)
    batch = load_batch(task, scorer.inputs, scorer.seed, scorer.swap.images)
    return batch.to(scorer.device, channels_last=scorer.channels_last)


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


def objective_of(space: str, task: str, mu: float | None, sigma: float | None) -> Objective:
    """Fills in the space's own μ and σ where they are not given.

    Raises:
        HarnessError: If σ is not positive.
    """
    own = spaces.get(space).regulariser
    if space == "darts" and task == "imagenet":
        own = darts_space.IMAGENET_REGULARISER
    chosen = Objective(
        own.mu if mu is None else mu, own.sigma if sigma is None else sigma, own.unit
    )
    if not chosen.sigma > 0:
        raise HarnessError(f"search.sigma={sigma} must be positive, in {own.unit:g} parameters.")
    return chosen
