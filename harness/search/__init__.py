"""Architecture search with zero-cost proxies: SWAP-NAS and Zero-Cost-PT."""
