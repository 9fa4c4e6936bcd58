"""The ways in which a network is run; each pass returns small frozen observations.

Which proxies use an observation is not known here.
"""

from harness.core.sections import score_settings
from harness.passes.observation import Observation, Observations, Pass, observes, passes

__all__ = ["Observation", "Observations", "Pass", "observes", "passes", "score_settings"]
