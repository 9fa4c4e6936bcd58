"""What a user can choose about Zero-Cost-PT. What the paper leaves open says so here."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import unknown
from harness.core.limits import MOST_IMAGES, check, count
from harness.core.sections import section

ORDERS = (
    "fixed", "global-op-iter", "global-op-once", "global-edge-iter", "global-edge-once", "random",
)  # fmt: skip
ONCE_ORDERS = ("paper", "as_released")
COUNTINGS = ("clean", "faithful")
NB201_IMAGES, DARTS_IMAGES = 256, 64  # appendix A.5


@section("search")
@dataclass(frozen=True)
class ZeroCostPtSettings:
    """How Zero-Cost-PT scores a supernet, decides its edges and compares what it selected.

    Attributes:
        proxy: The proxy that scores a supernet.
        order: In which order edges are decided (section 4): ``random``, ``fixed``,
            ``global-op-iter``, ``global-op-once``, ``global-edge-iter`` or ``global-edge-once``.
        once_order: The two ``-once`` orders as the paper defines them (``paper``), or as the
            released code runs them (``as_released``).
        counting: nwot's ReLU calls: each once, and operations of weight zero left out (``clean``),
            or as the released code hooks them (``faithful``).
        iterations: N, searches with the same supernet.
        validations: V, batches over which the architectures of the iterations are compared.
        images: Images per batch; null: 256 on NAS-Bench-201, 64 on DARTS.
    """

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
        known = {"order": ORDERS, "once_order": ONCE_ORDERS, "counting": COUNTINGS}
        for key, names in known.items():
            if getattr(self, key) not in names:
                raise unknown(f"search.{key}", getattr(self, key), names)
        check(
            self,
            iterations=count(1, 10**5),
            validations=count(1, 10**6),
            images=count(2, MOST_IMAGES),
        )

    @property
    def ranks_once(self) -> bool:
        """Whether all edges are ranked once, before the first is decided."""
        return self.order.endswith("-once")

    @property
    def name(self) -> str:
        """What the result of a search is called."""
        name = f"{self.proxy}-{self.counting}-{self.order}"
        released = self.ranks_once and self.once_order != "paper"
        return f"{name}-{self.once_order}" if released else name

    def images_on(self, space: str) -> int:
        """Returns the images per batch on a space."""
        return self.images or (NB201_IMAGES if space == "nb201" else DARTS_IMAGES)
