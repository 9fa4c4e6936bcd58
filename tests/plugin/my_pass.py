"""A pass with a setting: how many weights lie in the first modules of a network."""

from dataclasses import dataclass

from harness.passes import Observation, Observations, observes, score_settings
from harness.passes.run import Run


@score_settings("my_pass")
@dataclass(frozen=True)
class MyPassSettings:
    """How deep to look.

    Attributes:
        depth: Number of modules that count.
    """

    depth: int = 1


@dataclass(frozen=True)
class FirstWeights(Observation):
    """Number of weights."""

    count: int


@observes(FirstWeights)
def my_pass(run: Run, settings: MyPassSettings) -> Observations:
    modules = list(run.network.children())[: settings.depth]
    return {FirstWeights: FirstWeights(sum(p.numel() for m in modules for p in m.parameters()))}
