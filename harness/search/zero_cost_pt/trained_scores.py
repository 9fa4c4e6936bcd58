"""Scores of operations in a trained supernet: darts, darts-pt and disc-acc.

Xiang et al. 2021 (Zero-Cost-PT), equations 3 to 5 and appendix A.1.2. Higher always means that the
operation should be kept.
"""

from __future__ import annotations

import copy

import torch

from harness.search.supernets.supernet import Decisions, Edge, State, Supernet
from harness.training.supernet_recipe import SupernetRecipe
from harness.training.supernet_training import Halves, batch_accuracy, train_supernet


def alpha_leaves(net: Supernet) -> list[torch.Tensor]:
    """Returns the supernet's architecture parameters, one tensor per edge."""
    return [alpha for edges in net.alphas.values() for alpha in edges]


def darts(net: Supernet, edge: Edge) -> list[float]:
    """Returns softmax(α) of every operation of an edge, as DARTS selects by."""
    kind, index = edge
    net.names(edge)
    return torch.softmax(net.alphas[kind][index].detach(), dim=0).tolist()


def darts_pt(
    net: Supernet, decisions: Decisions, edge: Edge, data: Halves, recipe: SupernetRecipe
) -> list[float]:
    """Returns −V(A − (e, o)): the validation accuracy without each operation, percent, negated.

    Args:
        net: A trained supernet; it is left as it was.
        decisions: The edges of A that are decided.
        edge: e.
        data: Accuracy is measured on the validation half.
        recipe: ``batch_size`` is what batch norm sees.
    """
    scores = []
    for operation in range(len(net.names(edge))):
        with net.at(State(decided=decisions, masked=(edge, operation))):
            scores.append(-batch_accuracy(net, data.validation, recipe.batch_size))
    return scores


def disc_acc(
    net: Supernet,
    decisions: Decisions,
    edge: Edge,
    data: Halves,
    recipe: SupernetRecipe,
    *,
    seed: int,
) -> list[float]:
    """Returns V(A + (e, o)) after ``tune_epochs`` more of training, in percent.

    Args:
        net: A trained supernet; every operation is tried on a copy of it.
        decisions: The edges of A that are decided.
        edge: e.
        data: Both halves.
        recipe: How to train on.
        seed: Fixes the order of the images, the same for every operation.
    """
    scores = []
    for operation in range(len(net.names(edge))):
        trial = copy.deepcopy(net)
        with trial.at(State(decided={**decisions, edge: operation})):
            train_supernet(trial, alpha_leaves(trial), data, recipe, seed, tune=True)
            scores.append(batch_accuracy(trial, data.validation, recipe.batch_size))
    return scores
