"""What a user can choose about a search. What a paper leaves open says so here."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import HarnessError, unknown

METHODS = ("swap_nas", "random", "regularised_evolution")
CELL_MODES = ("tied", "separate")
ORDERS = (
    "fixed",
    "random",
    "global-op-iter",
    "global-op-once",
    "global-edge-iter",
    "global-edge-once",
)
ONCE_ORDERS = ("paper", "as_released")
COUNTINGS = ("clean", "faithful")


@dataclass(frozen=True)
class SearchSettings:
    """Both searches' settings; each job reads its own.

    Attributes:
        method: ``job=swap_nas``: SWAP-NAS, or a baseline with the same number of evaluations.
        evaluations: Scored architectures (with repetitions) after which a search stops; null:
            population + cycles × (children + 2 × crossover), SWAP-NAS's own mean, for every method.
        population: Architectures kept; the paper is silent.
        cycles: Rounds of selection, mutation and replacement; the paper is silent.
        tournament: Share of the population drawn each cycle (SWAP paper, C.2: half).
        crossover: Probability that the parent comes from crossover; the paper only says random.
        children: Mutated children per cycle, of which the best is kept; the paper is silent.
        duplicates: SWAP-NAS: let a child join that is a member already; algorithm 1 does not ask.
        cell_mode: DARTS: one cell for both places, as in the published genotypes, or two.
        channels: DARTS: channels of the scored network (released code: 3).
        layers: DARTS: cells of the scored network (released code: 1; separate cells need 3).
        mu: μ of the regulariser; null: the space's own.
        sigma: σ of the regulariser; null: the space's own.
        proxy: ``job=zero_cost_pt``: the proxy that scores a supernet.
        order: In which order edges are decided (Zero-Cost-PT, section 4).
        once_order: The two ``-once`` orders as the paper defines them, or as the released code
            runs them.
        counting: nwot's ReLU calls: each once, and operations of weight zero left out (clean), or
            as the released code hooks them (faithful).
        iterations: N, searches with the same supernet.
        validations: V, batches over which the found architectures are compared.
        images: Images per batch. Null for ``job=zero_cost_pt``: 256 on NAS-Bench-201, 64 on
            DARTS; for ``job=swap_nas``: 32 on DARTS (SWAP paper, 4.3), else ``swap.images``.
    """

    method: str = "swap_nas"
    evaluations: int | None = None
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
    proxy: str = "nwot"
    order: str = "random"
    once_order: str = "paper"
    counting: str = "clean"
    iterations: int = 10
    validations: int = 100
    images: int | None = None

    def __post_init__(self) -> None:
        """Refuses what cannot be searched with.

        Raises:
            HarnessError: With what was expected.
        """
        for key, known in (
            ("method", METHODS),
            ("cell_mode", CELL_MODES),
            ("order", ORDERS),
            ("once_order", ONCE_ORDERS),
            ("counting", COUNTINGS),
        ):
            if getattr(self, key) not in known:
                raise unknown(f"search.{key}", getattr(self, key), known)
        for key, least in (
            ("population", 2),
            ("cycles", 1),
            ("children", 1),
            ("channels", 1),
            ("layers", 1),
            ("iterations", 1),
            ("validations", 1),
            ("evaluations", 1),
            ("images", 2),
        ):
            value = getattr(self, key)
            if value is not None and value < least:
                raise HarnessError(f"search.{key}={value} is too small; take at least {least}.")
        for key in ("tournament", "crossover"):
            if not 0 <= getattr(self, key) <= 1:
                raise HarnessError(f"search.{key}={getattr(self, key)} must lie between 0 and 1.")
        if self.cell_mode == "separate" and self.layers < 3:
            raise HarnessError(
                "search.cell_mode=separate needs search.layers=3 or more: with fewer, no normal "
                "cell is in the scored network."
            )
