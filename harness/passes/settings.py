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
from harness.core.sections import Place, score_settings

INITIALISATIONS = ("default", "gaussian")


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise HarnessError(f"{name}={value} must be at least 1.")


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
        _at_least_one("swap.images", self.images)
        _at_least_one("swap.repeats", self.repeats)
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
        sigma: Width, in ``unit`` parameters, not squared; null and auto as for mu.
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
            if getattr(self, name) not in (None, "auto"):
                _number(name, getattr(self, name), above)

    def at(self, place: Place) -> RegulariserSettings:
        """Fills in the space's own μ, σ and unit, and resolves ``auto``.

        Raises:
            HarnessError: If a number makes no sense.
        """
        own = OWN_REGULARISERS.get((place.space, place.task)) or OWN_REGULARISERS.get(place.space)
        mu, sigma, unit = own or ("auto", "auto", 1e6)
        chosen = self.unit if self.unit is not None else unit
        unit = _number("unit", chosen, above=0)
        return RegulariserSettings(
            _resolved("mu", mu if self.mu is None else self.mu, place, unit, above=-math.inf),
            _resolved("sigma", sigma if self.sigma is None else self.sigma, place, unit, above=0),
            unit,
        )


# μ, σ and unit of a space; every other space takes ``auto``. NAS-Bench-301's are the best row of
# the SWAP paper's table 6. One-cell networks have 310 to 2,692 parameters, with C=1 102 to 792: the
# paper's values (0.9 to 1.5 thousand) steer a search towards small networks, these rank the
# published ones best. A thousand classes alone are 25 thousand parameters of a scored DARTS
# network.
OWN_REGULARISERS: dict[str | tuple[str, str], tuple[float, float, float]] = {
    "nb101": (40.0, 40.0, 1e6),
    "nb201": (1.5, 1.5, 1e6),
    "nb301": (1.8, 1.8, 1e6),
    "tnb101_micro": (41.44, 41.44, 1e6),
    "tnb101_macro": (40.18, 40.18, 1e6),
    "darts_swap": (2.0, 2.0, 1e3),
    "darts_swap_c1": (0.6, 0.6, 1e3),
    "darts": (0.9, 0.9, 1e3),
    ("darts", "imagenet"): (25.0, 25.0, 1e3),
}


def _resolved(name: str, chosen: object, place: Place, unit: float, above: float) -> float:
    if chosen == "auto":
        return max(place.sizes()) / unit
    return _number(name, chosen, above)


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
        """Refuses less than one repeat."""
        _at_least_one("zen.repeats", self.repeats)


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
        _at_least_one("ntk.images", self.images)
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
        for name in ("samples", "batches", "size"):
            _at_least_one(f"linear_regions.{name}", getattr(self, name))


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
        _at_least_one("meco.channels", self.channels)
        if self.input not in ("image", "noise"):
            raise unknown("image of meco.input", self.input, ("image", "noise"))


@score_settings("gradsign")
@dataclass(frozen=True)
class GradSignSettings:
    """How GradSign's signs are counted.

    Attributes:
        reduction: Over the weights: ``mean`` or ``sum``.
    """

    reduction: str = "mean"

    def __post_init__(self) -> None:
        """Refuses an unknown reduction."""
        if self.reduction not in ("mean", "sum"):
            raise unknown("reduction of gradsign.reduction", self.reduction, ("mean", "sum"))
