"""Other people's interfaces to what is here: NASLib, zero-cost-nas, NATS-Bench.

None of their code is needed, but for building networks of NASLib itself.
"""

from harness.adapters.naslib_graphs import from_naslib

__all__ = ["from_naslib"]
