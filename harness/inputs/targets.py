"""What networks are to predict, where the images do not say: random targets of the right form.

Proxies that need a loss need a target. Stand-in images have none for most tasks, so it is drawn,
and ``describe_inputs`` calls such labels random.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.inputs.tasks import Task


def random_targets(task: Task, n: int, random: np.random.Generator) -> Tensor:
    """Draws targets of a task.

    Returns:
        By the kind of target: ``class`` and ``permutation`` N class indices (int64);
        ``soft_class`` N×classes, all weight on one class; ``values`` N×outputs, standard normal;
        ``class_map`` N×H×W class indices (int64), each pixel its own; ``normals`` N×3×H×W, a unit
        vector per pixel, uniform over directions. Floats are float32.
    """
    height, width = task.input_shape[-2:]
    match task.target:
        case "values":
            return torch.from_numpy(random.standard_normal((n, task.outputs), dtype=np.float32))
        case "class_map":
            return torch.from_numpy(random.integers(task.outputs, size=(n, height, width)))
        case "normals":
            shape = (n, task.outputs, height, width)
            vectors = torch.from_numpy(random.standard_normal(shape, dtype=np.float32))
            return torch.nn.functional.normalize(vectors, dim=1)
    classes = torch.from_numpy(random.integers(task.outputs, size=n))
    if task.target == "soft_class":
        return torch.nn.functional.one_hot(classes, task.outputs).float()
    return classes
