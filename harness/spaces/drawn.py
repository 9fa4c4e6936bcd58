"""Spaces that are too large to list: architectures are drawn one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence

import numpy as np

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.spaces.space import Space

# This many draws in a row without a new architecture end a draw without replacement.
PATIENCE = 10_000


def not_listed(name: str) -> HarnessError:
    """Returns the error of a space that cannot list its architectures."""
    return HarnessError(
        f"The architectures of {name} cannot be listed; give a pool of keys, for example those "
        "of a ground-truth table."
    )


class DrawnSpace(Space):
    """A space whose subclass draws one architecture at a time instead of listing them all."""

    @abstractmethod
    def draw(self, random: np.random.Generator) -> str:
        """Returns the canonical key of one random architecture."""

    def keys(self) -> Sequence[str]:
        """Lists nothing: the space is too large.

        Raises:
            HarnessError: Always.
        """
        raise not_listed(self.name)

    def sample(
        self,
        n: int,
        seed: int,
        *,
        pool: Collection[str] | None = None,
        replace: bool = False,
        one_per_class: bool = False,
    ) -> list[str]:
        """Draws from ``pool`` like every space, or from the space's own sampler without a pool.

        The arguments and errors are those of ``Space.sample``. Without replacement, a key (or,
        with ``one_per_class``, an isomorphism class) that was drawn before is drawn again.
        """
        if pool is not None or n < 1:
            return super().sample(
                n,
                seed,
                pool=() if pool is None else pool,
                replace=replace,
                one_per_class=one_per_class,
            )
        random = seeds.numpy_stream("sample", self.name, seed)
        if replace:
            return [self.draw(random) for _ in range(n)]
        drawn: dict[str, str] = {}
        repeats = 0
        while len(drawn) < n:
            key = self.draw(random)
            name = self.isomorphism_class(key) if one_per_class else key
            repeats = repeats + 1 if name in drawn else 0
            drawn.setdefault(name, key)
            if repeats == PATIENCE:
                raise HarnessError(
                    f"n={n} architectures were asked for, but {self.name} yields nothing new "
                    f"after {len(drawn)}; lower n."
                )
        return list(drawn.values())
