"""Every choice that can change a score and is not the network, its weights or the batch.

Where published implementations differ, the default is the one behind the published table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import HarnessError, unknown

INITIALISATIONS = ("default", "gaussian")


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
        if self.images < 1 or self.repeats < 1:
            raise HarnessError(
                f"swap.images={self.images} and swap.repeats={self.repeats} must be at least 1."
            )
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
        """Refuses an unknown initialisation."""
        if self.init not in ("default", "kaiming"):
            raise unknown("initialisation of ntk.init", self.init, ("default", "kaiming"))


@dataclass(frozen=True)
class LinearRegionSettings:
    """How linear regions are counted: ``batches`` of ``samples`` random crops of size² pixels."""

    samples: int = 1000
    batches: int = 3
    size: int = 3


@dataclass(frozen=True)
class MecoSettings:
    """Which image MeCo looks at.

    Attributes:
        input: ``image`` (the batch's first) or ``noise`` (a standard normal 64×64 image).
        channels: How many random channels of each layer meco_opt looks at.
    """

    input: str = "image"
    channels: int = 8


@dataclass(frozen=True)
class GradSignSettings:
    """How GradSign's signs are reduced over the weights: ``mean`` or ``sum``."""

    reduction: str = "mean"


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
