"""DSS."""

import torch
from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.minibatch import LossGradients
from harness.passes.transfer import on_host
from harness.passes.transformer_weights import TransformerWeights
from harness.proxies.contract import proxy


@proxy(labels=True)
def dss(gradients: LossGradients, roles: TransformerWeights) -> float:
    """Σ over attentions of ‖W‖_* · ‖∂L/∂W‖_* + Σ over MLPs of |W ⊙ ∂L/∂W|, of a transformer.

    ‖·‖_* is the nuclear norm, the sum of the singular values: the synaptic diversity of attention,
    and the synaptic saliency of MLPs. Each linear layer of an attention counts, also the one that
    makes queries, keys and values at once. Undefined without transformer blocks.

    The authors' code takes the gradient of the summed outputs instead, on an image of ones with
    absolute weights as SynFlow does, and adds the classifier.

    Source: Zhou et al. 2022, "Training-free Transformer Architecture Search" (TF-TAS).
    """
    if not roles.attention or not roles.mlp:
        raise UndefinedScoreError("the network has no transformer block of linear layers")
    pairs = list(zip(gradients.weights, gradients.gradients, strict=True))
    matrices = on_host([one for place in roles.attention for one in pairs[place]])
    norms = [_nuclear_norm(matrix) for matrix in matrices]
    diversity = sum(w * g for w, g in zip(norms[::2], norms[1::2], strict=True))
    salient = [(w * g).abs().sum() for w, g in (pairs[place] for place in roles.mlp)]
    return diversity + float(torch.stack(salient).double().sum())


def _nuclear_norm(matrix: Tensor) -> float:
    return float(torch.linalg.svdvals(matrix.double()).sum())
