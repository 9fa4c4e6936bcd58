"""Zero-cost proxies, one short file each."""

from harness.proxies.contract import (
    Accuracies,
    PopulationProxy,
    Proxy,
    population,
    populations,
    proxies,
    proxy,
)

__all__ = [
    "Accuracies",
    "PopulationProxy",
    "Proxy",
    "population",
    "populations",
    "proxies",
    "proxy",
]
