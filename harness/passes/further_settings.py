"""The settings of the proxies of 2022 to 2026 and of ensembles; see ``harness.passes.settings``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.core.errors import HarnessError, unknown
from harness.core.limits import ABOVE_ZERO, MOST_IMAGES, NOT_NEGATIVE, SHARE, check, count
from harness.core.sections import Place, score_settings


@score_settings("vkdnw")
@dataclass(frozen=True)
class VkdnwSettings:
    """How VKDNW's Fisher information is computed.

    Attributes:
        images: How many images of noise, at most the batch size.
        parameters: Of how many parameter tensors the first element is looked at.
        released: Multiply by the Cholesky factor from the side that the authors' code does, not by
            the covariance of the classes.
    """

    images: int = 64
    parameters: int = 128
    released: bool = False

    def __post_init__(self) -> None:
        """Refuses no image and no parameter."""
        check(self, images=count(1, MOST_IMAGES), parameters=count(1, 10**4))

    def at(self, place: Place) -> VkdnwSettings:
        """As for SWAP: no more images than there are."""
        return replace(self, images=min(self.images, place.batch_size))


@score_settings("eps")
@dataclass(frozen=True)
class EpsSettings:
    """The two constant weights of epsinas.

    Attributes:
        small: The smaller one; null takes the space's own: 1e-4 in nb101, else 1e-7.
        large: The larger one; null takes the space's own: 10 in nb101, else 1.
    """

    small: float | None = None
    large: float | None = None

    def __post_init__(self) -> None:
        """Refuses weights that are not positive."""
        check(self, small=ABOVE_ZERO, large=ABOVE_ZERO)

    def at(self, place: Place) -> EpsSettings:
        """Fills in the weights that the authors chose for the space."""
        return EpsSettings(*self.weights(place.space))

    def weights(self, space: str = "") -> tuple[float, float]:
        """Returns both weights; without a space those of most."""
        small, large = OWN_CONSTANTS.get(space, (1e-7, 1.0))
        return self.small or small, self.large or large


OWN_CONSTANTS = {"nb101": (1e-4, 10.0)}


@score_settings("curve")
@dataclass(frozen=True)
class CurveSettings:
    """How dextr's curvature is taken.

    Attributes:
        outputs: Of how many outputs, drawn with repeats.
    """

    outputs: int = 10

    def __post_init__(self) -> None:
        """Refuses no output."""
        check(self, outputs=count(1, 10**6))


@score_settings("zico_bc")
@dataclass(frozen=True)
class ZicoBcSettings:
    """How strongly ZiCo-BC corrects for thin and deep networks.

    Attributes:
        beta: Weight of the correction (the paper: 1, for segmentation 2).
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        """Refuses a correction of the other sign."""
        check(self, beta=NOT_NEGATIVE)


@score_settings("l_swag")
@dataclass(frozen=True)
class LSwagSettings:
    """Whose gradients L-SWAG looks at; the paper calibrates it per benchmark, with accuracies.

    Attributes:
        first: Where the layers begin, as a share of their number.
        last: Where they end.
    """

    first: float = 0.0
    last: float = 1.0

    def __post_init__(self) -> None:
        """Refuses shares that leave no layer.

        Raises:
            HarnessError: With what is allowed.
        """
        check(self, first=SHARE, last=SHARE)
        if not self.first < self.last:
            raise HarnessError(
                f"l_swag.first={self.first} is not below l_swag.last={self.last}; no layer is left."
            )


@score_settings("intrain")
@dataclass(frozen=True)
class InTrainSettings:
    """What the notes on InTrain leave open.

    Attributes:
        layers: Whose outputs count as a layer's activations: ``weighted`` (convolutions and linear
            layers) or ``relus``.
        norms: Whether the gradients of norms and biases count beside those of weighted layers.
    """

    layers: str = "weighted"
    norms: bool = True

    def __post_init__(self) -> None:
        """Refuses unknown layers."""
        if self.layers not in ("weighted", "relus"):
            raise unknown("kind of layers in intrain.layers", self.layers, ("weighted", "relus"))


@score_settings("ensemble")
@dataclass(frozen=True)
class EnsembleSettings:
    """What the ensembles rank_log, vote, robot and libra combine.

    Attributes:
        proxies: Their parts; of every one higher is taken for better.
        queries: At how many accuracies robot looks (the authors' script: 20).
    """

    proxies: tuple[str, ...] = ("synflow", "jacov", "snip")
    queries: int = 20

    def __post_init__(self) -> None:
        """Refuses an ensemble of nothing, and no look.

        Raises:
            HarnessError: With what is allowed.
        """
        object.__setattr__(self, "proxies", tuple(self.proxies))
        if not self.proxies:
            raise HarnessError("ensemble.proxies=[] combines nothing; name at least one proxy.")
        check(self, queries=count(1, 10**4))
