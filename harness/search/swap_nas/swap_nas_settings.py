"""What a user can choose about a SWAP-NAS search. What the paper leaves open says so here."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import HarnessError, unknown
from harness.core.limits import ABOVE_ZERO, MOST_IMAGES, SHARE, check, count
from harness.core.sections import section

METHODS = ("swap_nas", "random", "regularised_evolution")
CELL_MODES = ("tied", "separate")


@section("search")
@dataclass(frozen=True)
class SwapNasSettings:
    """How SWAP-NAS and its baselines search.

    Attributes:
        method: SWAP-NAS (``swap_nas``), or a baseline with the same number of evaluations:
            ``random`` or ``regularised_evolution``.
        objective: What is maximised: ``reg_swap``, SWAP-NAS's own, another proxy's score, or the
            ``truth``, which shows what the search alone can do.
        evaluations: Scored architectures (with repetitions) after which a search stops; null:
            population + cycles × (children + 2 × crossover), SWAP-NAS's own mean, for every method.
        distinct: Count an architecture that is met again only once, so that methods differ in what
            they look at and not in how often; a search that meets nothing new ends after 20 times
            as many evaluations.
        population: Architectures kept; the paper is silent.
        cycles: Rounds of selection, mutation and replacement; the paper is silent.
        tournament: Share of the population drawn each cycle (SWAP paper, C.2: half).
        crossover: Probability that the parent comes from crossover; the paper only says random.
        children: Mutated children per cycle, of which the best is kept; the paper is silent.
        duplicates: SWAP-NAS: let a child join that is a member already; algorithm 1 does not ask.
        cell_mode: DARTS: one cell for both places (``tied``), as in the published genotypes, or
            two (``separate``).
        channels: DARTS: channels of the scored network (released code: 3).
        layers: DARTS: cells of the scored network (released code: 1; separate cells need 3).
        mu: μ of the regulariser; null: the space's own.
        sigma: σ of the regulariser; null: the space's own.
        images: Images that a network is scored on; null: 32 on DARTS (SWAP paper, 4.3), else
            ``swap.images``.
    """

    method: str = "swap_nas"
    objective: str = "reg_swap"
    evaluations: int | None = None
    distinct: bool = False
    population: int = 50
    cycles: int = 1000
    tournament: float = 0.5
    crossover: float = 0.5
    children: int = 5
    duplicates: bool = True
    cell_mode: str = "tied"
    channels: int = 3
    layers: int = 1
    mu: float | None = None
    sigma: float | None = None
    images: int | None = None

    def __post_init__(self) -> None:
        """Refuses what cannot be searched with.

        Raises:
            HarnessError: With what was expected.
        """
        for key, known in (("method", METHODS), ("cell_mode", CELL_MODES)):
            if getattr(self, key) not in known:
                raise unknown(f"search.{key}", getattr(self, key), known)
        check(
            self,
            evaluations=count(1, 10**7),
            population=count(2, 10**6),
            cycles=count(1, 10**7),
            tournament=SHARE,
            crossover=SHARE,
            children=count(1, 10**5),
            channels=count(1, 4096),
            layers=count(1, 1000),
            sigma=ABOVE_ZERO,
            images=count(2, MOST_IMAGES),
        )
        if self.cell_mode == "separate" and self.layers < 3:
            raise HarnessError(
                "search.cell_mode=separate needs search.layers=3 or more: with fewer, no normal "
                "cell is in the scored network."
            )

    @property
    def budget(self) -> int:
        """Evaluations of a search, the same for every method.

        Without a number of its own, it is what SWAP-NAS needs on average for its cycles: every
        cycle evaluates the children, and the two offspring of a crossover where there is one.
        """
        if self.evaluations is not None:
            return self.evaluations
        per_cycle = self.children + 2 * self.crossover
        return self.population + round(self.cycles * per_cycle)
