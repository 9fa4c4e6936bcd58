"""Slow, literal reference implementations of the proxies, and small networks to compare on."""
