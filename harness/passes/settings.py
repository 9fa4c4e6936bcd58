"""Every choice that can change a score and is not the network, its weights or the batch.

Where published implementations differ, the default is the one behind the published table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import HarnessError, unknown

INITIALISATIONS = ("default", "gaussian")


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise HarnessError(f"{name}={value} must be at least 1.")


@dataclass(frozen=True)
class SwapSettings:
    """How SWAP runs a network.

    Attributes:
        images: How many of the batch's images are shown (the authors' script: the first 16).
        repeats: Over how many initialisations the count is averaged (the authors' script: 32).
        init: ``default`` keeps the network's own weights for the first repeat and redraws them by
            each layer's own rule for the others; ``gaussian`` draws N(0,1) weights for every
            repeat, as the authors do.
    """

    images: int = 16
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


@dataclass(frozen=True)
class RegulariserSettings:
    """SWAP's size regulariser, exp(−(Θ−mu)²/sigma); Θ is counted in ``unit`` parameters.

    ``theta`` overrides the number of parameters that the network itself has.
    """

    mu: float | None = None
    sigma: float | None = None
    unit: float = 1e6
    theta: int | None = None


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


@dataclass(frozen=True)
class LinearRegionSettings:
    """How linear regions are counted: ``batches`` of ``samples`` random crops of size² pixels."""

    samples: int = 1000
    batches: int = 3
    size: int = 3

    def __post_init__(self) -> None:
        """Refuses an empty count."""
        for name in ("samples", "batches", "size"):
            _at_least_one(f"linear_regions.{name}", getattr(self, name))


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


@dataclass(frozen=True)
class GradSignSettings:
    """How GradSign's signs are reduced over the weights: ``mean`` or ``sum``."""

    reduction: str = "mean"

    def __post_init__(self) -> None:
        """Refuses an unknown reduction."""
        if self.reduction not in ("mean", "sum"):
            raise unknown("reduction of gradsign.reduction", self.reduction, ("mean", "sum"))


@dataclass(frozen=True)
class Settings:
    """All settings, one section per pass."""

    swap: SwapSettings = field(default_factory=SwapSettings)
    regulariser: RegulariserSettings = field(default_factory=RegulariserSettings)
    zen: ZenSettings = field(default_factory=ZenSettings)
    ntk: NtkSettings = field(default_factory=NtkSettings)
    linear_regions: LinearRegionSettings = field(default_factory=LinearRegionSettings)
    meco: MecoSettings = field(default_factory=MecoSettings)
    gradsign: GradSignSettings = field(default_factory=GradSignSettings)
