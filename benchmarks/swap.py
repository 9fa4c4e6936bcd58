"""SWAP end to end against its plain definition: keep every ReLU output, take signs, unique rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.cells import batch, cells, network, plain_forward_seconds
from benchmarks.timing import in_turn
from harness import api

IMAGES, CELLS = 32, 20


def definition(net: nn.Module, images: Tensor) -> int:
    """Counts distinct rows of the neurons × images sign matrix, literally."""
    outputs: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _, __, output: outputs.append(output.detach()))
        for module in net.modules()
        if isinstance(module, nn.ReLU)
    ]
    with torch.no_grad():
        net.train()(images)
    for hook in hooks:
        hook.remove()
    matrix = torch.cat([output.flatten(1) for output in outputs], dim=1)
    return len(torch.unique(torch.sign(matrix).T, dim=0))


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times both on the same cells and checks that they count the same."""
    images = batch(IMAGES).images
    settings = [api.SwapSettings(images=IMAGES)]
    rows = []
    for key in cells(CELLS):
        net = network(key)

        def ours(net: nn.Module = net) -> float:
            return api.score(net, images, ["swap"], settings=settings)["swap"].value

        def bare(net: nn.Module = net) -> None:
            with torch.no_grad():
                net(images)

        count = definition(net, images)
        assert ours() == count, (key, count)
        seconds = in_turn(
            {"bare_forward": bare, "ours": ours, "definition": lambda n=net: definition(n, images)},
            repeats=1,
            warm_up=False,  # the check above was one
        )
        rows.append({"cell": key, "patterns": count, **seconds})
    table = pd.DataFrame(rows)
    total = table[["bare_forward", "ours", "definition"]].sum()
    return table, {
        "images": IMAGES,
        "cells": CELLS,
        "threads": torch.get_num_threads(),
        "definition_over_ours": total.definition / total.ours,
        "ours_over_bare_forward": total.ours / total.bare_forward,
        "plain_forward_all_3x3_batch_64_seconds": plain_forward_seconds(),
        "note": "Counts are equal on every cell.",
    }
