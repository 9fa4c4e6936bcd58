"""Search spaces: sample, parse and print the canonical key, build the network, count parameters."""

from harness.spaces.space import Space, spaces

__all__ = ["Space", "spaces"]
