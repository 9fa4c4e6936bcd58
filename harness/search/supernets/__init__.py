"""Supernets: every candidate operation on every edge at once."""
