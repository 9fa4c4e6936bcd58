"""The training of an architecture from scratch, as DARTS evaluates one.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.3: SGD with
a falling learning rate, random crops and flips, cutout, drop-path and an auxiliary head. Every
random number belongs to the stream of its seed and epoch, so that a training that was stopped goes
on exactly as if it had not been. On a GPU that holds but for the order of its sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.backends import cudnn
from torch.nn import functional

from harness.core import seeds
from harness.spaces.networks.darts_network import DartsNetwork
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.divergence import refuse_divergence
from harness.training.drop_path import DropPath

TESTED_AT_ONCE = 256


class ShownImages(Protocol):
    """Labelled images that a device is shown batch by batch; see ``ImagesOnDevice``."""

    def __len__(self) -> int:
        """Number of images."""

    def augmented(
        self, random: np.random.Generator, batch_size: int, *, crop: bool, hole: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields an epoch's batches, augmented."""

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields all images as they are tested."""


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
        self.drop_path = DropPath(network) if recipe.drop_path else None
        self.half = recipe.half_precision(device)
        self.loss = torch.compile(self._loss) if recipe.compile else self._loss
        self.optimiser = torch.optim.SGD(
            network.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
        self.history: list[dict[str, float]] = []

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    def train_epoch(self, data: ShownImages) -> dict[str, float]:
        """Trains for one epoch and returns its ``epoch``, ``learning_rate``, mean ``loss``.

        Raises:
            HarnessError: If the training diverges.
        """
        recipe, rate = self.recipe, self.recipe.rate(self.epoch)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        if self.drop_path is not None:
            self.drop_path.drop(recipe.drop_path * self.epoch / recipe.epochs)
        random = seeds.numpy_stream("final training", self.seed, self.epoch)
        batches = data.augmented(random, recipe.batch_size, crop=recipe.augment, hole=recipe.cutout)
        total, images_seen = torch.zeros((), device=self.device), 0
        self.network.train()
        with self._running("drop path"):
            for images, labels in batches:
                total += len(images) * self._step(images, labels)
                images_seen += len(images)
        loss = float(total) / images_seen
        refuse_divergence(loss, self.epoch + 1)
        return {"epoch": self.epoch + 1, "learning_rate": rate, "loss": loss}

    def _step(self, images: Tensor, labels: Tensor) -> Tensor:
        self.optimiser.zero_grad(set_to_none=True)
        with self._precision():
            loss = self.loss(images, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimiser.step()
        return loss.detach()

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        smoothing = self.recipe.label_smoothing
        if isinstance(self.network, DartsNetwork) and self.recipe.auxiliary:
            logits, auxiliary = self.network.forward_with_auxiliary(images)
            extra = functional.cross_entropy(auxiliary, labels, label_smoothing=smoothing)
            loss = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
            return loss + self.recipe.auxiliary * extra
        return functional.cross_entropy(self.network(images), labels, label_smoothing=smoothing)

    @torch.no_grad()
    def accuracy(self, data: ShownImages) -> dict[str, float]:
        """Returns ``test_accuracy`` and ``test_top5`` in percent, in evaluation mode.

        The latter is the share of images whose class is among the five most likely.
        """
        self.network.eval()
        hits = torch.zeros(2, dtype=torch.int64, device=self.device)
        with self._running("test"):
            for images, labels in data.plain(TESTED_AT_ONCE):
                with self._precision():
                    logits = self.network(images)
                right = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
                hits += torch.stack([right[:, 0].sum(), right.sum()])
        first, five = (100 * hits / len(data)).tolist()
        return {"test_accuracy": first, "test_top5": five}

    def state(self) -> dict[str, Any]:
        """Returns everything that the next epoch needs."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "history": self.history,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a ``state`` of the same recipe and seed."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.history = state["history"]

    @contextmanager
    def _running(self, name: str) -> Iterator[None]:
        """Lets torch draw from a stream of this epoch, and cuDNN try which kernels are fastest."""
        before, cudnn.benchmark = cudnn.benchmark, True
        try:
            with seeds.torch_stream(name, self.seed, self.epoch, device=self.device):
                yield
        finally:
            cudnn.benchmark = before

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)
