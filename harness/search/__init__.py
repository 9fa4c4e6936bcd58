"""Architecture search with zero-cost proxies: SWAP-NAS and Zero-Cost-PT."""

from harness.search.settings import SearchSettings

__all__ = ["SearchSettings"]
