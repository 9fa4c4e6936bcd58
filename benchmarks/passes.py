"""The 13 proxies of NAS-Bench-Suite-Zero: together, one at a time, and the bare passes."""

from __future__ import annotations

import copy
import time
from typing import Any

import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from benchmarks.cells import LARGEST, batch, cells, network, plain_forward_seconds
from benchmarks.timing import in_turn, peak_memory
from harness import api
from harness.passes.weighted_layers import weights_of, without_batch_norm

SUITE_ZERO = [
    *("epe_nas", "fisher", "flops", "grad_norm", "grasp", "jacov", "l2_norm"),
    *("nwot", "params", "plain", "snip", "synflow", "zen"),
]
FORWARD_ONLY = ["params", "flops", "l2_norm", "nwot", "activation_patterns", "swap", "reg_swap"]
REGULARISED = [api.RegulariserSettings(mu=1.5, sigma=1.5)]
LAYOUTS = {"contiguous": False, "channels_last": True}
SIZE, CELLS, FORWARD_CELLS = 64, 20, 100


def bare_passes(net: nn.Module, double: nn.Module, images: api.Batch) -> None:
    """Runs the forwards and backwards that the 13 proxies need, without hooks or proxies."""
    bare_minibatch(net, images)
    with torch.no_grad():
        net(images.images)  # Zen-Score's two forwards
        net(images.images)
        net.eval()(images.images[:1])  # the shapes for params and flops
        net.train()
    with without_batch_norm(double):
        ones = torch.ones_like(images.images[:1], dtype=torch.float64)
        torch.autograd.grad(double(ones).sum(), weights_of(double), allow_unused=True)


def bare_minibatch(net: nn.Module, images: api.Batch) -> None:
    """One forward, one backward to the images, one to the weights, one double backward."""
    x = images.images.clone().requires_grad_(True)
    logits, weights = net(x), weights_of(net)
    torch.autograd.grad(logits.sum(), x, retain_graph=True, allow_unused=True)
    loss = functional.cross_entropy(logits, images.labels)
    gradients = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
    norm = torch.stack([(g.detach() * g).sum() for g in gradients if g is not None]).sum()
    torch.autograd.grad(norm, weights, allow_unused=True)


def bare_forwards(net: nn.Module, images: api.Batch) -> None:
    """The forwards of the forward-only set: 64 images, 16 images, one image."""
    with torch.no_grad():
        net(images.images)
        net(images.images[:16])
        net.eval()(images.images[:1])
        net.train()


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times the 13 proxies together, one at a time and as bare passes, in both memory layouts."""
    api.score(network(LARGEST), batch(SIZE), SUITE_ZERO)  # warm-up
    table = pd.DataFrame(
        [
            {"layout": layout, "cell": key, **_time(key, batch(SIZE, channels_last=last))}
            for key in cells(CELLS)
            for layout, last in LAYOUTS.items()
        ]
    )
    forward = plain_forward_seconds()
    facts: dict[str, Any] = {
        "batch": SIZE,
        "cells": CELLS,
        "threads": torch.get_num_threads(),
        "plain_forward_all_3x3_batch_64_seconds": forward,
    }
    for layout in LAYOUTS:
        total = table[table.layout == layout].drop(columns=["layout", "cell"]).sum()
        facts[layout] = {
            "together_over_one_at_a_time": total.together / total.one_at_a_time,
            "together_over_bare_passes": total.together / total.bare_passes,
            "together_seconds_per_cell": total.together / CELLS,
            "together_per_cell_over_plain_forward": total.together / CELLS / forward,
        }
    facts["peak_memory_mib_of_the_largest_cell"] = {
        "together": peak_memory(_score_largest, SUITE_ZERO),
        "without_grasp": peak_memory(_score_largest, [p for p in SUITE_ZERO if p != "grasp"]),
        "grasp_alone": peak_memory(_score_largest, ["grasp"]),
        "bare_minibatch": peak_memory(_bare_largest),
        "forward_only": peak_memory(_score_largest, FORWARD_ONLY),
    }
    return table, facts


def measure_forward_only() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times the forward-only proxies against the bare forwards, per layout and threads."""
    before = torch.get_num_threads()
    api.score(network(LARGEST), batch(SIZE), FORWARD_ONLY, settings=REGULARISED)  # warm-up
    rows = []
    for threads in sorted({1, before}):
        torch.set_num_threads(threads)
        for layout, last in LAYOUTS.items():
            images = batch(SIZE, channels_last=last)
            seconds = [_time_forward_only(key, images) for key in cells(FORWARD_CELLS)]
            total = pd.DataFrame(seconds).sum()
            ratio = total.forward_only / total.bare_forwards
            rows.append({"threads": threads, "layout": layout, **total, "ratio": ratio})
    torch.set_num_threads(before)
    return pd.DataFrame(rows), {"batch": SIZE, "cells": FORWARD_CELLS}


def measure_proxies() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Averages over cells what every proxy takes when all are scored together.

    A pass is shared equally among the proxies that use it, so that the seconds add up.
    """
    images, names = batch(SIZE), [*SUITE_ZERO, "activation_patterns", "swap"]
    rows: list[dict[str, float]] = []
    api.score(network(LARGEST), images, names)  # warm-up
    for key in cells(CELLS):
        start = time.perf_counter()
        net = network(key)
        built = time.perf_counter() - start
        scores = api.score(net, images, names)
        rows.append({"construction": built, **{n: s.seconds for n, s in scores.items()}})
    means = pd.DataFrame(rows).mean()
    table = means.rename_axis("proxy").reset_index(name="seconds_per_architecture")
    return table, {"batch": SIZE, "cells": CELLS, "seconds_per_architecture": float(means.sum())}


def _time(key: str, images: api.Batch) -> dict[str, float]:
    net = network(key)
    double = copy.deepcopy(net).double()
    variants = {
        "together": lambda: api.score(net, images, SUITE_ZERO),
        "one_at_a_time": lambda: [api.score(net, images, [p]) for p in SUITE_ZERO],
        "bare_passes": lambda: bare_passes(net, double, images),
    }
    return in_turn(variants, repeats=1, warm_up=False)


def _time_forward_only(key: str, images: api.Batch) -> dict[str, float]:
    net = network(key)
    variants = {
        "forward_only": lambda: api.score(net, images, FORWARD_ONLY, settings=REGULARISED),
        "bare_forwards": lambda: bare_forwards(net, images),
    }
    return in_turn(variants, repeats=1, warm_up=False)


def _score_largest(names: list[str]) -> None:
    api.score(network(LARGEST), batch(SIZE), names, settings=REGULARISED)


def _bare_largest() -> None:
    bare_minibatch(network(LARGEST), batch(SIZE))
