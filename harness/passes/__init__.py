"""The ways in which a network is run; each pass returns small frozen observations.

Importing this package registers every pass. Which proxies use an observation is not known here.
"""

from harness.passes import minibatch, static, swap, synflow
from harness.passes.base import (
    PASSES,
    Observation,
    Observations,
    Pass,
    RegulariserSettings,
    Run,
    Settings,
    SwapSettings,
    observes,
)

__all__ = [
    "PASSES",
    "Observation",
    "Observations",
    "Pass",
    "RegulariserSettings",
    "Run",
    "Settings",
    "SwapSettings",
    "minibatch",
    "observes",
    "static",
    "swap",
    "synflow",
]
