"""Zero-cost proxies, one short file each; importing this package registers them."""

from harness.proxies import flops, gradients, l2_norm, nwot, params, swap, synflow
from harness.proxies.base import Proxy, proxies, proxy

__all__ = [
    "Proxy",
    "flops",
    "gradients",
    "l2_norm",
    "nwot",
    "params",
    "proxies",
    "proxy",
    "swap",
    "synflow",
]
