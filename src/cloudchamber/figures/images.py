"""Images of jets: where their transverse momentum lies on average."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from cloudchamber.cloud import Clouds
from cloudchamber.jets.kinematics import has_momentum

__all__ = ["average_image", "draw_image"]


def average_image(clouds: Clouds, edges: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the (K, K) mean over jets of the sum of pt_rel per pixel; what lies outside is left out.

    Args:
        clouds: jets in relative coordinates.
        edges: (K + 1,) edges of the pixels in eta_rel and in phi_rel.
        weights: (N,) weight of each jet; by default all count alike.
    """
    mask = has_momentum(clouds)
    eta, phi, pt = (clouds.point(name)[mask] for name in ("eta_rel", "phi_rel", "pt_rel"))
    if weights is not None:
        pt = pt * np.repeat(weights, mask.sum(axis=1))
    image, _, _ = np.histogram2d(eta, phi, bins=(edges, edges), weights=pt)
    return image / (len(clouds) if weights is None else weights.sum(dtype=np.float64))


def draw_image(axis: Axes, image: np.ndarray, edges: np.ndarray, **colours: Any) -> AxesImage:
    """Draw an image of equal pixels in a square panel.

    Args:
        axis: where to draw.
        image: (K, K), first axis along x; what is not a number stays empty.
        edges: (K + 1,) edges of the pixels in both directions.
        colours: the scale and the map of colours, passed on to :meth:`matplotlib.axes.Axes.imshow`.
    """
    extent = (edges[0], edges[-1], edges[0], edges[-1])
    # No mesh: in a PDF it would be many polygons, or one bitmap of the whole figure.
    return axis.imshow(image.T, extent=extent, origin="lower", aspect="auto", interpolation="nearest", **colours)
