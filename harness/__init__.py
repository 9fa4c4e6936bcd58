"""Benchmark-correlation harness for zero-cost proxies in neural architecture search."""

__version__ = "0.1.0"
