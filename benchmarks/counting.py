"""Counting patterns: packed words against float activations, on the bits of real cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.cells import batch, cells, network
from benchmarks.timing import in_turn
from harness.passes.patterns import Agreement, DistinctPatterns, flat, positive

CELLS = 3


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times both ways on the same ReLU outputs and checks that they count the same."""
    rows = []
    for key in cells(CELLS):
        few, many = (relu_outputs(key, images) for images in (16, 64))
        assert distinct(few) == unique_rows(few), key
        assert np.array_equal(agreement(many), products(many)), key
        seconds = in_turn(
            {
                "packed_count_16_images": lambda: distinct(few),
                "unique_rows_16_images": lambda: unique_rows(few),
                "packed_agreement_64_images": lambda: agreement(many),
                "two_products_64_images": lambda: products(many),
            },
            repeats=1,
            warm_up=False,  # the checks above were one
        )
        rows.append({"cell": key, "neurons": sum(flat(x).shape[1] for x in few), **seconds})
    table = pd.DataFrame(rows)
    total = table.drop(columns=["cell", "neurons"]).sum()
    return table, {
        "cells": CELLS,
        "threads": torch.get_num_threads(),
        "unique_rows_over_packed_count": total.unique_rows_16_images / total.packed_count_16_images,
        "two_products_over_packed_agreement": total.two_products_64_images
        / total.packed_agreement_64_images,
        "note": "Counts and kernel matrices are equal on every cell.",
    }


def relu_outputs(key: str, images: int) -> list[Tensor]:
    """Returns the outputs of every ReLU of a cell's network."""
    net, outputs = network(key), list[Tensor]()
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _, __, output: outputs.append(output))
    with torch.no_grad():
        net(batch(64).images[:images])
    return outputs


def distinct(outputs: list[Tensor]) -> int:
    """Ours: the number of distinct sample-wise patterns."""
    patterns = DistinctPatterns(len(outputs[0]))
    for output in outputs:
        patterns.add(positive(flat(output)))
    return patterns.count()


def unique_rows(outputs: list[Tensor]) -> int:
    """The definition: distinct rows of the neurons × images sign matrix."""
    matrix = torch.cat([flat(output) for output in outputs], dim=1)
    return len(torch.unique(torch.sign(matrix).T, dim=0))


def agreement(outputs: list[Tensor]) -> np.ndarray:
    """Ours: how many neurons agree between every two images."""
    counted = Agreement()
    for output in outputs:
        counted.add(positive(flat(output)))
    assert counted.matrix is not None
    return counted.matrix.numpy()


def products(outputs: list[Tensor]) -> np.ndarray:
    """The definition: B·Bᵀ + (1−B)(1−B)ᵀ, layer by layer."""
    total = torch.zeros(len(outputs[0]), len(outputs[0]), dtype=torch.float64)
    for output in outputs:
        bits = (flat(output) > 0).float()
        total += bits @ bits.T + (1 - bits) @ (1 - bits).T
    return total.numpy()
