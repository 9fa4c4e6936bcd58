"""WRCor."""

import numpy as np

from harness.core.errors import UndefinedScoreError
from harness.passes.cell_responses import CellResponses
from harness.passes.transfer import on_host
from harness.proxies.contract import proxy


@proxy(labels=True)
def wrcor(responses: CellResponses) -> float:
    """Log |det K|, K = Σ 2^cell · (|corr of ReLU inputs| + |corr of their loss gradients|).

    The correlations are those between images. ReLUs of every cell count, and those behind the last
    one as a further cell; a matrix that holds an undefined correlation is left out as a whole.
    Definition read in the authors' code, whose hooks also take a container called ReLUConvBN for a
    ReLU: a count that is not repeated here.

    Source: Jing et al. 2025, "Zero-Shot Neural Architecture Search with Weighted Response
    Correlation".
    """
    inputs, gradients = on_host(responses.inputs), on_host(responses.gradients)
    kernel = np.zeros(())
    for cell, *matrices in zip(responses.cells, inputs, gradients, strict=True):
        for matrix in (abs(one.numpy()) for one in matrices):
            kernel = kernel + 2.0**cell * matrix if np.isfinite(matrix).all() else kernel
    if not kernel.any():
        raise UndefinedScoreError("no ReLU of a cell has defined correlations between all images")
    _, logdet = np.linalg.slogdet(kernel)
    if not np.isfinite(logdet):
        raise UndefinedScoreError("the kernel matrix is singular")
    return float(logdet)
