"""Every choice that can change a score and is not the network, its weights or the batch.

Where published implementations differ, the default is the one behind the published table. The
passes and proxies that read a record name it by type. Nothing here imports torch, so that the
command line knows its keys at once; a plug-in may declare its settings beside its pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from harness.core.errors import HarnessError, unknown
from harness.core.limits import ABOVE_ZERO, MOST_IMAGES, check, count
from harness.core.sections import Place, score_settings
from harness.passes import further_settings  # noqa: F401 - declares its sections

INITIALISATIONS = ("default", "gaussian")


MOST_REPEATS = 10_000


@score_settings("swap")
@dataclass(frozen=True)
class SwapSettings:
    """How SWAP runs a network.

    Attributes:
        images: How many of the batch's images are shown (the paper, section 4.3: 32; the authors'
            script: the first 16). With so few, many networks show all 2**images patterns.
        repeats: Over how many initialisations the count is averaged (the authors' script: 32).
        init: ``default`` keeps the network's own weights for the first repeat and redraws them by
            each layer's own rule for the others; ``gaussian`` draws N(0,1) weights for every
            repeat, as the authors do.
    """

    images: int = 32
    repeats: int = 1
    init: str = "default"

    def __post_init__(self) -> None:
        """Refuses settings that make no sense.

        Raises:
            HarnessError: With what is allowed.
        """
        check(self, images=count(1, MOST_IMAGES), repeats=count(1, MOST_REPEATS))
        if self.init not in INITIALISATIONS:
            raise unknown("initialisation of swap.init", self.init, INITIALISATIONS)

    def at(self, place: Place) -> SwapSettings:
        """A batch cannot show more images than it has; results name what was shown."""
        return replace(self, images=min(self.images, place.batch_size))


@score_settings("regulariser")
@dataclass(frozen=True)
class RegulariserSettings:
    """SWAP's size regulariser, exp(−(Θ−mu)²/sigma).

    Attributes:
        mu: Centre, in ``unit`` parameters; null takes the space's own, auto the largest size among
            1000 sampled networks.
        sigma: Width, in ``unit`` parameters, not squared; null takes the space's own, auto 2·mu²,
            so that the factor is exp(−(Θ/mu − 1)²/2) whatever the unit.
        unit: How many parameters make Θ = 1; null takes the space's own, else a million.
    """

    mu: Any = None
    sigma: Any = None
    unit: float | None = None

    def __post_init__(self) -> None:
        """Refuses what is neither a number in its range nor auto.

        Raises:
            HarnessError: With what is allowed.
        """
        for name, above in (("mu", -math.inf), ("sigma", 0.0), ("unit", 0.0)):
            value = getattr(self, name)
            if value is not None and not _is_auto(value):
                _number(name, value, above)

    def at(self, place: Place) -> RegulariserSettings:
        """Fills in the space's own μ, σ and unit, and resolves ``auto``.

        Raises:
            HarnessError: If a number makes no sense.
        """
        own = OWN_REGULARISERS.get((place.space, place.task)) or OWN_REGULARISERS.get(place.space)
        own_mu, own_sigma, own_unit = own or (AUTO, AUTO, 1e6)
        unit = _number("unit", own_unit if self.unit is None else self.unit, above=0)
        mu = own_mu if self.mu is None else self.mu
        mu = max(place.sizes()) / unit if _is_auto(mu) else _number("mu", mu, above=-math.inf)
        sigma = own_sigma if self.sigma is None else self.sigma
        sigma = AUTO_WIDTH * mu**2 if _is_auto(sigma) else sigma
        return RegulariserSettings(mu, _number("sigma", sigma, above=0), unit)


AUTO = "auto"
AUTO_WIDTH = 2.0  # σ/μ²; the ablation ``regulariser_rule`` sweeps it

# μ, σ and unit of a space; every other space takes ``auto`` in millions. The numbers are the SWAP
# paper's: the best rows of tables 4 to 6, and of tables 1 and 2 what steers a search of DARTS cells
# to small networks, in which a thousand classes alone are 25 thousand parameters. It prints none
# for the one-cell networks of figure 4, which have 310 to 2,692 parameters.
OWN_REGULARISERS: dict[str | tuple[str, str], tuple[float | str, float | str, float]] = {
    "nb101": (40.0, 40.0, 1e6),
    "nb201": (1.5, 1.5, 1e6),
    "nb301": (1.8, 1.8, 1e6),
    "darts_swap": (AUTO, AUTO, 1e3),
    "darts_swap_c1": (AUTO, AUTO, 1e3),
    "darts": (AUTO, AUTO, 1e3),
    ("darts", "cifar10"): (0.9, 0.9, 1e3),
    ("darts", "imagenet"): (25.0, 25.0, 1e3),
}


def _is_auto(chosen: object) -> bool:
    return isinstance(chosen, str) and chosen == AUTO


def _number(name: str, chosen: object, above: float) -> float:
    try:
        value = float(str(chosen))
    except ValueError:
        value = math.nan
    if not above < value < math.inf:
        limit = "" if math.isinf(above) else f" above {above:g}"
        auto = "" if name == "unit" else ", or auto"
        raise HarnessError(
            f"regulariser.{name}={chosen} is wrong; give a number{limit}{auto}, or null for the "
            "space's own."
        )
    return value


@score_settings("zen")
@dataclass(frozen=True)
class ZenSettings:
    """How Zen-Score perturbs the input.

    Attributes:
        repeats: Initialisations to average over; batch statistics accumulate across them.
        gamma: Size of the perturbation.
    """

    repeats: int = 1
    gamma: float = 1e-2

    def __post_init__(self) -> None:
        """Refuses less than one repeat, and a perturbation that is none."""
        check(self, repeats=count(1, MOST_REPEATS), gamma=ABOVE_ZERO)


@score_settings("ntk")
@dataclass(frozen=True)
class NtkSettings:
    """How the neural tangent kernel is computed.

    Attributes:
        images: How many of the batch's images; each costs a backward pass.
        init: ``default`` keeps the network's weights; ``kaiming`` draws normal weights of variance
            2 / fan_out and zero biases, as TE-NAS does.
    """

    images: int = 16
    init: str = "default"

    def __post_init__(self) -> None:
        """Refuses an unknown initialisation and less than one image."""
        check(self, images=count(1, MOST_IMAGES))
        if self.init not in ("default", "kaiming"):
            raise unknown("initialisation of ntk.init", self.init, ("default", "kaiming"))

    def at(self, place: Place) -> NtkSettings:
        """As for SWAP: no more images than there are."""
        return replace(self, images=min(self.images, place.batch_size))


@score_settings("linear_regions")
@dataclass(frozen=True)
class LinearRegionSettings:
    """How linear regions are counted.

    Attributes:
        samples: Random crops per batch.
        batches: How many batches.
        size: Height and width of a crop, in pixels.
    """

    samples: int = 1000
    batches: int = 3
    size: int = 3

    def __post_init__(self) -> None:
        """Refuses an empty count."""
        check(self, samples=count(1, 10**6), batches=count(1, 10**4), size=count(1, 1024))


@score_settings("meco")
@dataclass(frozen=True)
class MecoSettings:
    """Which image MeCo looks at.

    Attributes:
        input: ``image`` (the batch's first) or ``noise`` (a standard normal 64×64 image).
        channels: How many random channels of each layer meco_opt looks at.
    """

    input: str = "image"
    channels: int = 8

    def __post_init__(self) -> None:
        """Refuses an unknown input and less than one channel."""
        check(self, channels=count(1, 10**6))
        if self.input not in ("image", "noise"):
            raise unknown("image of meco.input", self.input, ("image", "noise"))


@score_settings("gradsign")
@dataclass(frozen=True)
class GradSignSettings:
    """How GradSign's signs are counted.

    Attributes:
        reduction: Over the weights: ``sum``, the paper's algorithm 1, or ``mean``, as the authors'
            script for NAS-Bench-201 takes it.
    """

    reduction: str = "sum"

    def __post_init__(self) -> None:
        """Refuses an unknown reduction."""
        if self.reduction not in ("mean", "sum"):
            raise unknown("reduction of gradsign.reduction", self.reduction, ("mean", "sum"))
