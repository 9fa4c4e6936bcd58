"""The training of an architecture from scratch, as DARTS evaluates one on CIFAR.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.3: 600
epochs of SGD along a cosine, random crops and flips, cutout, drop-path and an auxiliary head.
Every random number belongs to the stream of its seed and epoch, so that a training that was stopped
goes on exactly as if it had not been.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.spaces.networks.darts_network import DartsNetwork
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.augmentation import DropPath, augmented
from harness.training.divergence import refuse_divergence
from harness.training.labelled_images import Pixels


class ArchitectureTraining:
    """One training: everything that changes from epoch to epoch.

    Args:
        network: Maps images to logits; a ``DartsNetwork`` may have an auxiliary head.
        recipe: How to train.
        seed: Training seed.
        device: Where to.
    """

    def __init__(
        self, network: nn.Module, recipe: ArchitectureRecipe, seed: int, device: str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self.network = network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.recipe, self.seed = recipe, seed
        self.drop_path = DropPath(network)
        self.optimiser = torch.optim.SGD(
            network.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
        half = recipe.mixed_precision and self.device.type == "cuda"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=half)
        self.history: list[dict[str, float]] = []

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    def train_epoch(self, data: Pixels) -> dict[str, float]:
        """Trains for one epoch and returns its ``epoch``, ``learning_rate``, mean ``loss``.

        Raises:
            HarnessError: If there are fewer images than a batch has, or the training diverges.
        """
        recipe, done = self.recipe, self.epoch / self.recipe.epochs
        rate = recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.drop_path.probability = recipe.drop_path * done
        random = seeds.numpy_stream("final training", self.seed, self.epoch)
        order = random.permutation(len(data.images))
        steps = len(order) // recipe.batch_size
        if steps == 0:
            raise HarnessError(
                f"A batch of {recipe.batch_size} images is more than the {len(order)} to train on."
            )
        losses = []
        self.network.train()
        with seeds.torch_stream("drop path", self.seed, self.epoch, device=self.device):
            for chosen in order[: steps * recipe.batch_size].reshape(steps, -1):
                images = augmented(
                    data, chosen, random, self.device, crop=recipe.augment, hole=recipe.cutout
                )
                labels = torch.from_numpy(data.labels[chosen]).to(self.device)
                losses.append(self._step(images, labels))
        loss = float(torch.stack(losses).mean())
        refuse_divergence(loss, self.epoch + 1)
        return {"epoch": self.epoch + 1, "learning_rate": rate, "loss": loss}

    def _step(self, images: Tensor, labels: Tensor) -> Tensor:
        self.optimiser.zero_grad(set_to_none=True)
        with self._precision():
            loss = self._loss(images, labels)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return loss.detach()

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        if isinstance(self.network, DartsNetwork) and self.recipe.auxiliary:
            logits, auxiliary = self.network.forward_with_auxiliary(images)
            extra = self.recipe.auxiliary * functional.cross_entropy(auxiliary, labels)
            return functional.cross_entropy(logits, labels) + extra
        return functional.cross_entropy(self.network(images), labels)

    @torch.no_grad()
    def accuracy(self, data: Pixels) -> float:
        """Returns the accuracy in percent, in evaluation mode, batch by batch."""
        self.network.eval()
        correct = 0
        for chosen in np.array_split(np.arange(len(data.images)), -(-len(data.images) // 256)):
            with self._precision():
                logits = self.network(data.tensor(data.images[chosen], self.device))
            labels = torch.from_numpy(data.labels[chosen]).to(self.device)
            correct += int((logits.argmax(1) == labels).sum())
        return 100 * correct / len(data.images)

    def state(self) -> dict[str, Any]:
        """Returns everything that the next epoch needs."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": self.history,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a ``state`` of the same recipe and seed."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.history = state["history"]

    def _precision(self) -> torch.autocast:
        half = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        return torch.autocast(self.device.type, half, enabled=self.recipe.mixed_precision)
