"""Which network a training is of: that of an architecture, at the size that its recipe says."""

from __future__ import annotations

from torch import nn

from harness.core.errors import HarnessError
from harness.inputs.tasks import tasks
from harness.scoring.single import key_of
from harness.spaces.darts import Genotype, print_genotype
from harness.spaces.darts_candidates import CANDIDATES, darts_genotype
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.darts_space import DartsSpace, final_skeleton
from harness.spaces.nb301 import NasBench301, parse
from harness.spaces.networks.darts_network import DartsNetwork
from harness.spaces.space import Space, spaces
from harness.training.architecture_recipe import ArchitectureRecipe

SUBSPACES = tuple(name for name in CANDIDATES if name != DartsSpace.name)
"""RobustDARTS's S1 to S4, whose architectures are genotypes as DARTS prints them."""


def key_to_train(space: str, task: str, architecture: object) -> str:
    """Returns the canonical key of an architecture.

    Raises:
        HarnessError: If it is none of the space, or the space does not have the task.
    """
    space_of(space).task(task)
    if architecture in (None, ""):
        raise HarnessError(
            "No architecture to train; name one with architecture=KEY, a key as selected.csv of a "
            "search has it."
        )
    if space not in SUBSPACES:
        return key_of(spaces.get(space), architecture)
    return print_genotype(darts_genotype(str(architecture)))


def space_of(name: str) -> Space:
    """Returns a space; the one of DARTS for its subspaces, whose networks are built alike."""
    return spaces.get(DartsSpace.name if name in SUBSPACES else name)


def genotype_of(space: str, key: str) -> Genotype | None:
    """Returns the cells of an architecture; None if it is not made of DARTS cells."""
    if space in SUBSPACES:
        return darts_genotype(key)
    return parse(key) if space in (DartsSpace.name, NasBench301.name) else None


def build(space: str, key: str, task: str, recipe: ArchitectureRecipe) -> nn.Module:
    """Builds the network to train; weights come from torch's global generator.

    Raises:
        HarnessError: If the recipe asks for an auxiliary head that the network cannot have.
    """
    spec, genotype = tasks.get(task), genotype_of(space, key)
    if genotype is None:
        if recipe.auxiliary or recipe.drop_path:
            raise HarnessError(
                f"The networks of {space} have no auxiliary head and no paths to drop; set "
                "train_architecture.auxiliary=0 train_architecture.drop_path=0."
            )
        return spaces.get(space).network(key, spec)
    stem = final_skeleton(task).stem
    if recipe.auxiliary and stem == "cifar" and spec.image_side != 32:
        raise HarnessError(
            f"The auxiliary head needs 32×32 images, but those of {task} are {spec.image_side} "
            "wide; set train_architecture.auxiliary=0."
        )
    skeleton = Skeleton(recipe.channels, recipe.layers, stem, auxiliary=recipe.auxiliary > 0)
    return DartsNetwork(genotype, skeleton, spec.outputs)


def trained_params(space: str, key: str, task: str, recipe: ArchitectureRecipe) -> int:
    """Counts the parameters of the network that is trained, without its auxiliary head."""
    if (genotype := genotype_of(space, key)) is None:
        return spaces.get(space).count_params(key, task)
    skeleton = Skeleton(recipe.channels, recipe.layers, final_skeleton(task).stem)
    return count_params(genotype, skeleton, tasks.get(task).outputs)
