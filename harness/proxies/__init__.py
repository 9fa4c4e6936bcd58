"""Zero-cost proxies, one short file each."""

from harness.proxies.contract import (
    PopulationProxy,
    Proxy,
    population,
    populations,
    proxies,
    proxy,
)

__all__ = ["PopulationProxy", "Proxy", "population", "populations", "proxies", "proxy"]
