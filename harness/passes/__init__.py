"""The ways in which a network is run; each pass returns small frozen observations.

Importing this package registers every pass. Which proxies use an observation is not known here.
"""

from harness.passes import (
    features,
    gradsign,
    linear_regions,
    minibatch,
    ntk,
    static,
    swap,
    synflow,
    zen,
)
from harness.passes.base import PASSES, SECTIONS, Observation, Observations, Pass, Run, observes
from harness.passes.settings import (
    GradSignSettings,
    LinearRegionSettings,
    MecoSettings,
    NtkSettings,
    RegulariserSettings,
    Settings,
    SwapSettings,
    ZenSettings,
)

__all__ = [
    "PASSES",
    "SECTIONS",
    "GradSignSettings",
    "LinearRegionSettings",
    "MecoSettings",
    "NtkSettings",
    "Observation",
    "Observations",
    "Pass",
    "RegulariserSettings",
    "Run",
    "Settings",
    "SwapSettings",
    "ZenSettings",
    "features",
    "gradsign",
    "linear_regions",
    "minibatch",
    "ntk",
    "observes",
    "static",
    "swap",
    "synflow",
    "zen",
]
