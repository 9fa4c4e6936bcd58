"""A search space: one convolution of a width."""

from torch import nn

from harness.inputs.tasks import Task
from harness.spaces import Space, spaces


class Toy(Space):
    """One convolution, 1 to 12 channels wide."""

    name = "toy"
    tasks = ("stripes",)

    def keys(self) -> list[str]:
        return [f"width {width}" for width in range(1, 13)]

    def canonical(self, key: str) -> str:
        return key.strip()

    def network(self, key: str, task: Task) -> nn.Module:
        width = int(key.split()[1])
        return nn.Sequential(
            nn.Conv2d(3, width, 3, bias=False),
            nn.ReLU(),
            nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            nn.Linear(width, task.outputs, bias=False),
        )

    def count_params(self, key: str, task: str) -> int:
        return (27 + 2) * int(key.split()[1])


spaces.add(Toy.name, Toy())
