"""Ridge regression on the stars of a set, sorted by mass, with the covariance of its residuals."""

from dataclasses import dataclass
from typing import Self, final

import numpy as np

__all__ = ["Ridge"]


def _features(stars: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return (N, 2 n) observed masses and radii of (N, P, 4) stars, of which each set has n, sorted by mass."""
    there = stars[:, : int(mask[0].sum())]
    order = np.argsort(there[:, :, 0], axis=1, kind="stable")
    return np.take_along_axis(there[:, :, :2], order[:, :, None], axis=1).reshape(len(stars), -1)


@final
@dataclass(frozen=True)
class Ridge:
    """A fitted regression of Q quantities, the first two of which are the parameters.

    Attributes:
        mean, deviation: (F,) of the features in training.
        weights: (F, Q).
        offset: (Q,).
        covariance: (2, 2) of the residuals of the parameters in training.
    """

    mean: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    covariance: np.ndarray

    @classmethod
    def fit(cls, stars: np.ndarray, mask: np.ndarray, truth: np.ndarray, penalty: float) -> Self:
        """Fit to sets of equally many stars.

        Args:
            stars: (N, P, 4).
            mask: (N, P) bool.
            truth: (N, Q).
            penalty: on the squares of the weights of features in units of their standard deviation.
        """
        features = _features(stars, mask)
        mean, deviation, offset = features.mean(axis=0), features.std(axis=0), truth.mean(axis=0)
        scaled = (features - mean) / deviation
        gram = scaled.T @ scaled + penalty * np.eye(scaled.shape[1])
        weights = np.linalg.solve(gram, scaled.T @ (truth - offset))
        residuals = (truth - offset - scaled @ weights)[:, :2]
        return cls(mean, deviation, weights, offset, np.cov(residuals.T))

    def predict(self, stars: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return (N, Q) estimates."""
        return (_features(stars, mask) - self.mean) / self.deviation @ self.weights + self.offset

    def log_density(self, predicted: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Return (N, G) logarithms of the Gaussian density, up to a constant.

        Args:
            predicted: (N, Q) estimates.
            parameters: (N or 1, G, 2) where it is evaluated.
        """
        deviation = parameters - predicted[:, None, :2]
        return -0.5 * np.einsum("ngi,ij,ngj->ng", deviation, np.linalg.inv(self.covariance), deviation)
