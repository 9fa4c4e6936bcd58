"""All reference implementations under one name: ``name(network, images, labels, **settings)``.

They are slow and literal: each follows its definition step by step on a deep copy of the network,
so that agreement with a fused implementation means something.
"""
# ruff: noqa: F401

from references.counts import flops, l2_norm, params
from references.features import (
    az_expressivity,
    az_progressivity,
    az_trainability,
    effective_rank,
    meco,
    meco_opt,
    near,
)
from references.gradients import dss, fisher, grad_norm, gradsign, grasp, plain, snip, zico
from references.jacobians import epe_nas, jacov, ntk
from references.newer import (
    dextr,
    eps,
    eznas_a,
    intrain,
    l_swag,
    swap_signum,
    vkdnw,
    wrcor,
    zico_bc,
)
from references.noise import synflow, zen, zen_state
from references.patterns import activation_patterns, linear_regions, nwot, reg_swap, swap
