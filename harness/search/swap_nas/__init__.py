"""SWAP-NAS: evolution with the regularised SWAP-Score, and its baselines."""
