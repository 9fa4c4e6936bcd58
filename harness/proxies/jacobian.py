"""Proxies of the input Jacobian: jacov and epe_nas."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.minibatch import InputJacobian
from harness.proxies.contract import proxy

Matrix = NDArray[np.float64]


@proxy()
def jacov(jacobian: InputJacobian) -> float:
    """−Σ_i [log(λ_i + k) + 1 / (λ_i + k)], eigenvalues of the correlation between Jacobian rows.

    Row n is the gradient of the summed outputs with respect to image n, k = 1e-5. Uncorrelated rows
    give about −N.

    Source: Mellor et al. 2020, "Neural Architecture Search without Training", version 1.
    """
    eigenvalues = np.linalg.eigvalsh(_correlation(_rows(jacobian)))
    with np.errstate(invalid="ignore"):
        shifted = eigenvalues + 1e-5
        return float(-np.sum(np.log(shifted) + 1 / shifted))


@proxy(labels=True, tasks="tasks with class labels")
def epe_nas(jacobian: InputJacobian) -> float:
    """How strongly Jacobian rows of images of the same class correlate.

    Per class s_c = Σ_ij log(|corr_ij| + 1e-5). With up to 100 outputs the score is Σ_c |s_c|; with
    more, s_c is divided by the class's number of images, classes with one image are left out, and
    the score is Σ_cc' |s_c − s_c'| over the number of classes.

    Source: Lopes et al. 2021, "EPE-NAS: Efficient Performance Estimation without Training"; the
    branch for many classes as in NAS-Bench-Suite-Zero.
    """
    assert jacobian.labels is not None
    rows, labels = _rows(jacobian), _classes(jacobian.labels)
    many = jacobian.outputs > 100
    values = []
    for label in np.unique(labels):
        members = rows[labels == label]
        if many and len(members) == 1:
            continue
        logs = np.log(np.abs(_correlation(members)) + 1e-5).sum()
        values.append(logs / len(members) if many else logs)
    classes = np.array(values)
    if not many:
        return float(np.abs(classes).sum())
    if len(classes) == 0:
        return 0.0
    return float(np.abs(classes[:, None] - classes[None, :]).sum() / len(classes))


def _rows(jacobian: InputJacobian) -> Matrix:
    """Returns the rows in float64; undefined where an image does not reach the output."""
    rows = jacobian.rows.cpu().double().numpy()
    if not np.all(np.ptp(rows, axis=1) > 0):
        raise UndefinedScoreError("the output does not depend on an image")
    return rows


def _correlation(rows: Matrix) -> Matrix:
    return np.atleast_2d(np.corrcoef(rows))


def _classes(labels: Tensor) -> NDArray[np.int64]:
    """Returns class indices; soft labels are reduced to their largest entry."""
    if labels.dim() > 2:
        raise UndefinedScoreError("needs class labels")
    indices = labels.argmax(dim=1) if labels.dim() == 2 else labels
    return indices.cpu().numpy().astype(np.int64)
