"""The training of a found architecture from scratch, as DARTS evaluates one on CIFAR.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.3: 600
epochs of SGD along a cosine, random crops and flips, cutout, drop-path and an auxiliary head.
Every random number belongs to the stream of its seed and epoch, so that a training that was stopped
goes on exactly as if it had not been.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness import seeds
from harness.errors import DataError, HarnessError
from harness.files import atomic
from harness.spaces.darts_networks import Network
from harness.training.augmentation import DropPath, Pixels, augmented


@dataclass(frozen=True)
class FinalRecipe:
    """DARTS's recipe for CIFAR; the defaults are its own.

    Attributes:
        architecture: Key of the space, or ``Genotype(normal=[...], ...)``.
        channels: Channels of a DARTS network's first cells.
        layers: Cells of a DARTS network.
        epochs: Passes over the training images.
        batch_size: Images per step; an incomplete last batch is left out.
        learning_rate: At the start; it falls to zero along a cosine, epoch by epoch.
        momentum: Momentum of SGD.
        weight_decay: L2 penalty on all parameters.
        clip: Largest norm of the gradient.
        augment: Whether images are cropped and flipped at random.
        cutout: Side of the square that is blackened in every image; 0 for none.
        drop_path: Probability, reached at the end, with which an operation's output is dropped;
            DARTS networks only.
        auxiliary: Weight of the auxiliary head's loss; 0 builds none. It needs a DARTS network on
            32×32 images.
        mixed_precision: Whether forwards run in half precision (bfloat16 on the CPU).
    """

    architecture: str = ""
    channels: int = 36
    layers: int = 20
    epochs: int = 600
    batch_size: int = 96
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    augment: bool = True
    cutout: int = 16
    drop_path: float = 0.2
    auxiliary: float = 0.4
    mixed_precision: bool = False

    def __post_init__(self) -> None:
        """Refuses a training that would train nothing.

        Raises:
            HarnessError: With what is allowed.
        """
        if self.epochs < 1 or self.batch_size < 2 or self.channels < 1 or self.layers < 1:
            raise HarnessError(
                f"train.epochs={self.epochs}, train.channels={self.channels} and "
                f"train.layers={self.layers} must be at least 1, and "
                f"train.batch_size={self.batch_size} at least 2."
            )
        if not 0 <= self.drop_path < 1 or self.cutout < 0 or self.auxiliary < 0:
            raise HarnessError(
                f"train.drop_path={self.drop_path} must be from 0 to below 1, and "
                f"train.cutout={self.cutout} and train.auxiliary={self.auxiliary} at least 0."
            )


class FinalTraining:
    """One training: everything that changes from epoch to epoch.

    Args:
        network: Maps images to logits; a DARTS ``Network`` may have an auxiliary head.
        recipe: How to train.
        seed: Training seed.
        device: Where to.
    """

    def __init__(
        self, network: nn.Module, recipe: FinalRecipe, seed: int, device: str = "cpu"
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
        """Trains for one epoch and returns its ``epoch``, ``learning_rate``, mean ``loss``."""
        recipe, done = self.recipe, self.epoch / self.recipe.epochs
        rate = recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.drop_path.probability = recipe.drop_path * done
        random = seeds.numpy_stream("final training", self.seed, self.epoch)
        order = random.permutation(len(data.images))
        steps = len(order) // recipe.batch_size
        losses = []
        self.network.train()
        with seeds.torch_stream("drop path", self.seed, self.epoch, device=self.device):
            for chosen in order[: steps * recipe.batch_size].reshape(steps, -1):
                images = augmented(
                    data, chosen, random, self.device, crop=recipe.augment, hole=recipe.cutout
                )
                labels = torch.from_numpy(data.labels[chosen]).to(self.device)
                losses.append(self._step(images, labels))
        return {
            "epoch": self.epoch + 1,
            "learning_rate": rate,
            "loss": float(torch.stack(losses).mean()),
        }

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
        if isinstance(self.network, Network) and self.recipe.auxiliary:
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

    def save(self, path: Path) -> None:
        """Writes everything that the next epoch needs; a killed run leaves the old file."""
        state = {
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": self.history,
        }
        with atomic(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path) -> None:
        """Goes on where ``save`` stopped; nothing but tensors and numbers is unpickled.

        Raises:
            DataError: If the file is broken.
            HarnessError: If it belongs to another recipe or seed.
        """
        try:
            state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
            asked, found = asdict(self.recipe), state["recipe"]
        except Exception as error:  # torch raises many types for a broken file
            raise DataError(
                f"The checkpoint {path} is corrupted ({type(error).__name__}); delete it to train "
                "from the start."
            ) from error
        if state["seed"] != self.seed or found != asked:
            different = [key for key in asked if found.get(key) != asked[key]] or ["seed"]
            raise HarnessError(
                f"The checkpoint {path} was made with another train.{different[0]}; choose another "
                "results folder, or delete it to train from the start."
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.history = state["history"]

    def _precision(self) -> torch.autocast:
        half = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        return torch.autocast(self.device.type, half, enabled=self.recipe.mixed_precision)
