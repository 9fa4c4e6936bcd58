"""SWAP-NAS's evolution and the baselines, as endless streams of evaluations.

Nothing here knows how an architecture is scored. A search yields one ``Candidate`` per evaluation
and never ends by itself; whoever runs it takes as many as the budget allows, so that every method
gets exactly the same number. An architecture that is met again counts again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from harness.search.swap_nas.encodings import Encoding
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings

Evaluate = Callable[[str], float]
"""Key to fitness, higher is better; −inf for an architecture without a score."""


@dataclass(frozen=True)
class Candidate:
    """One evaluation of a search.

    Attributes:
        key: The architecture.
        fitness: What it was evaluated to.
        cycle: 0 for the first population, then the cycle from 1.
        origin: ``random``, ``crossover``, ``operation`` or ``connection``.
        parents: Keys that it was made from.
    """

    key: str
    fitness: float
    cycle: int
    origin: str
    parents: tuple[str, ...] = ()


def search(
    encoding: Encoding, evaluate: Evaluate, random: np.random.Generator, settings: SwapNasSettings
) -> Iterator[Candidate]:
    """Returns the endless search that ``settings.method`` names."""
    methods = {
        "swap_nas": swap_nas,
        "random": random_search,
        "regularised_evolution": regularised_evolution,
    }
    return methods[settings.method](encoding, evaluate, random, settings)


def swap_nas(
    encoding: Encoding, evaluate: Evaluate, random: np.random.Generator, settings: SwapNasSettings
) -> Iterator[Candidate]:
    """Peng et al., "SWAP-NAS", ICLR 2024, algorithm 1 and appendix C.2.

    Each cycle draws a part of the population. The parent is its best member or, at random, the
    better of two offspring that exchange a column of the best and the second best. Of the parent's
    mutants, only the best joins the population, and the worst member leaves it. Of equals, the
    older is taken for the best as for the worst. Without ``settings.duplicates``, a mutant that is
    a member already does not join; with copies, the population becomes one architecture in time.
    """
    population = []
    for candidate in _first_population(encoding, evaluate, random, settings.population):
        population.append(candidate)
        yield candidate
    for cycle in count(1):
        sample = _sample(population, settings, random)
        parent, second = sorted(sample, key=_fitness, reverse=True)[:2]
        if random.random() < settings.crossover:
            keys = encoding.crossover(parent.key, second.key, random)
            parents = (parent.key, second.key)
            offspring = []
            for key in keys:
                offspring.append(Candidate(key, evaluate(key), cycle, "crossover", parents))
                yield offspring[-1]
            parent = max(offspring, key=_fitness)
        children = []
        for _ in range(settings.children):
            children.append(_mutant(encoding, evaluate, random, parent, cycle))
            yield children[-1]
        members = () if settings.duplicates else {member.key for member in population}
        new = [child for child in children if child.key not in members]
        if new:
            population.append(max(new, key=_fitness))
            population.remove(min(population, key=_fitness))


def regularised_evolution(
    encoding: Encoding, evaluate: Evaluate, random: np.random.Generator, settings: SwapNasSettings
) -> Iterator[Candidate]:
    """Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019.

    Each cycle mutates the best of a sample once; the child joins and the oldest member leaves.
    Population and sample are as large as SWAP-NAS's.
    """
    population: deque[Candidate] = deque()
    for candidate in _first_population(encoding, evaluate, random, settings.population):
        population.append(candidate)
        yield candidate
    for cycle in count(1):
        parent = max(_sample(population, settings, random), key=_fitness)
        population.append(_mutant(encoding, evaluate, random, parent, cycle))
        population.popleft()
        yield population[-1]


def random_search(
    encoding: Encoding, evaluate: Evaluate, random: np.random.Generator, settings: SwapNasSettings
) -> Iterator[Candidate]:
    """Draws architectures uniformly, with replacement."""
    while True:
        yield from _first_population(encoding, evaluate, random, settings.population)


def _first_population(
    encoding: Encoding, evaluate: Evaluate, random: np.random.Generator, size: int
) -> Iterator[Candidate]:
    for _ in range(size):
        key = encoding.random(random)
        yield Candidate(key, evaluate(key), 0, "random")


def _sample(
    population: Sequence[Candidate], settings: SwapNasSettings, random: np.random.Generator
) -> list[Candidate]:
    """Draws a tournament without replacement, at least two; in order of age."""
    size = max(2, round(settings.tournament * len(population)))
    chosen = random.choice(len(population), size=size, replace=False)
    return [population[i] for i in sorted(chosen.tolist())]


def _mutant(
    encoding: Encoding,
    evaluate: Evaluate,
    random: np.random.Generator,
    parent: Candidate,
    cycle: int,
) -> Candidate:
    if random.random() < 0.5:
        origin, key = "operation", encoding.mutate_operation(parent.key, random)
    else:
        origin, key = "connection", encoding.mutate_connection(parent.key, random)
    return Candidate(key, evaluate(key), cycle, origin, (parent.key,))


def _fitness(candidate: Candidate) -> float:
    return candidate.fitness
