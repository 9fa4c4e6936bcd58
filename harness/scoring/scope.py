"""What a run scores: by which proxies, on batches of which size, which architectures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from harness.core.errors import HarnessError
from harness.core.limits import MOST_ARCHITECTURES, MOST_IMAGES, check, count
from harness.core.sections import section
from harness.core.types import Policy

if TYPE_CHECKING:
    from harness.spaces.space import Space


@section("")
@dataclass(frozen=True)
class ProxyChoice:
    """By what a network is scored; every field is a key of its own on the command line.

    Attributes:
        proxies: A named set (job=list shows them), a proxy, ``all``, or a list of these.
        proxy_sets: Named sets of your own: ``+proxy_sets.mine=[swap,nwot]``.
        batch_size: Images of the minibatch that the labelled proxies share.
    """

    proxies: Any = "default"
    proxy_sets: dict[str, list[str]] = field(default_factory=dict)
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Refuses a batch without variance.

        Raises:
            HarnessError: With what was expected.
        """
        check(self, batch_size=count(2, MOST_IMAGES))


@section("")
@dataclass(frozen=True)
class Scope(ProxyChoice):
    """Which architectures a run scores, and what it makes of failures.

    Attributes:
        n: Architectures per seed, drawn from those with ground truth.
        sample: ``uniform``, or ``labelled``: matrices of nb101 as NAS-Bench-Suite-Zero drew them,
            with repeats; small cells are drawn most.
        replace: Draw with replacement.
        one_per_class: Draw one architecture per isomorphism class.
        undefined: What an undefined score ranks as: ``worst``, or ``drop`` to leave it out.
        retry: Score again what ended in an error or out of memory in earlier runs.
        any_device: Take stored scores of the other kind of device too, CPU or GPU: they differ by
            rounding, and the record says how many are whose.
    """

    n: int = 1000
    sample: str = "uniform"
    replace: bool = False
    one_per_class: bool = False
    undefined: str = "worst"
    retry: bool = False
    any_device: bool = False

    def __post_init__(self) -> None:
        """Refuses what cannot be scored.

        Raises:
            HarnessError: With what was expected.
        """
        super().__post_init__()
        check(self, n=count(1, MOST_ARCHITECTURES))
        check_policy(self.undefined)
        if self.sample not in ("uniform", "labelled"):
            raise HarnessError(f"sample={self.sample!r} must be 'uniform' or 'labelled'.")
        if self.sample == "labelled" and (self.replace or self.one_per_class):
            raise HarnessError(
                "sample=labelled draws with repeats; leave replace=false and one_per_class=false."
            )

    def drawn(self, space: Space, seed: int, pool: Collection[str]) -> list[str]:
        """Returns the architectures of a seed.

        Args:
            space: Where they are from.
            seed: Which draw.
            pool: Those with ground truth.

        Raises:
            HarnessError: If there are too few, or the space has no labelled draw.
        """
        if self.sample == "labelled":
            return space.sample_labelled(self.n, seed)
        n = self.n if self.replace or self.one_per_class else min(self.n, len(pool))
        return space.sample(
            n, seed, pool=pool, replace=self.replace, one_per_class=self.one_per_class
        )

    @property
    def drawing(self) -> dict[str, bool]:
        """How architectures are drawn, as records have it; uniform draws need no word."""
        if self.sample == "labelled":
            return {"labelled": True}
        return {"replace": self.replace, "one_per_class": self.one_per_class}

    @property
    def policy(self) -> Policy:
        """``undefined`` as the statistics take it; OmegaConf knows no literal types."""
        return cast(Policy, self.undefined)


def check_policy(undefined: str) -> Policy:
    """Returns the policy that a word names.

    Raises:
        HarnessError: If it is none.
    """
    if undefined not in ("worst", "drop"):
        raise HarnessError(f"undefined={undefined!r} must be 'worst' or 'drop'.")
    return cast(Policy, undefined)
