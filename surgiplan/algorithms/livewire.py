"""A line that snaps to edges: intelligent scissors (Mortensen and Barrett 1995)."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_gradient_magnitude

from ..values import FloatArray, IntArray

_PLAIN = 0.02  # what a step costs along the sharpest edge, against 1 where there is none
_SHARE = 98.0


def edge_costs(pixels: NDArray[np.generic], pixel_mm: tuple[float, float]) -> FloatArray:
    """What it costs a line to pass each pixel: little on sharp edges, 1 where the picture is flat.

    pixels: [row, column] grey values
    pixel_mm: distance of neighbouring pixels down a column and along a row
    """
    finest = min(pixel_mm)
    rise = gaussian_gradient_magnitude(pixels.astype(np.float64), [finest / mm for mm in pixel_mm])
    sharp = float(np.percentile(rise, _SHARE))
    edge = np.clip(rise / sharp, 0, 1) if sharp > 0 else np.zeros_like(rise)
    costs: FloatArray = _PLAIN + (1 - edge) ** 2
    return costs


class Wire:
    """The cheapest ways from one pixel to all others near it.

    costs: [row, column] what it costs to pass each pixel
    start: (row, column) where the ways begin
    pixel_mm: distance of neighbouring pixels down a column and along a row
    reach: how many pixels up, down and aside are looked at
    """

    def __init__(
        self, costs: FloatArray, start: tuple[int, int], pixel_mm: tuple[float, float], reach: int = 128
    ) -> None:
        from skimage.graph import MCP_Geometric  # takes a moment to load, for this alone

        self._low = np.maximum(np.subtract(start, reach), 0)
        self._high = np.minimum(np.add(start, reach + 1), costs.shape)
        near = costs[self._low[0] : self._high[0], self._low[1] : self._high[1]]
        self._ways = MCP_Geometric(near, sampling=pixel_mm)
        self._ways.find_costs([tuple(np.subtract(start, self._low))])

    def to(self, pixel: tuple[int, int]) -> IntArray:
        """(n, 2) rows and columns of the cheapest way to a pixel; one out of reach is taken at the rim."""
        end = np.clip(pixel, self._low, self._high - 1) - self._low
        way = np.asarray(self._ways.traceback(tuple(int(n) for n in end)), np.int32)
        found: IntArray = (way + self._low).astype(np.int32)
        return found
