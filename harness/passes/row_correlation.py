"""Correlations between rows."""

from torch import Tensor


def correlation_of_rows(rows: Tensor) -> Tensor:
    """Does what ``torch.corrcoef`` does, which waits for a GPU on the way.

    Args:
        rows: R×D.

    Returns:
        R×R numbers in [−1, 1]; NaN with a row that is constant.
    """
    observations = rows.shape[1]
    centred = rows - (rows.sum(dim=1) / observations)[:, None]
    covariance = centred @ centred.T / (observations - 1)
    deviations = covariance.diagonal().sqrt()
    return (covariance / deviations[:, None] / deviations[None, :]).clip(-1, 1)
