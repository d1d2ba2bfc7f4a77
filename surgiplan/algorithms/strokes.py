"""What a hand chooses: the voxels under a brush, inside an outline, between painted slices, of an island."""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import Bits, BoolArray, FloatArray, FloatsArray, Grid, Mask, Vec3, Volume
from ..values.bits import BLOCK
from .masks.box import slabs
from .masks.parts import parts_at

_AT_ONCE = 100_000  # voxels


@dataclass(frozen=True)
class Layer:
    """One slice of a grid.

    axis: 0 for k, 1 for j, 2 for i: the axis across the slice
    index: which slice along it
    """

    axis: int
    index: int

    @classmethod
    def through(cls, grid: Grid, point_lps: Vec3, normal_lps: Vec3) -> "Layer | None":
        """The slice that holds a point and is seen along a direction; None outside of the grid."""
        axis = int(np.argmax(np.abs(np.asarray(normal_lps) @ grid.axes)))
        index = int(np.rint(grid.to_kji(point_lps)[axis]))
        return cls(axis, index) if 0 <= index < grid.shape_kji[axis] else None


def brushed(grid: Grid, points_lps: FloatArray, radius_mm: float, layer: Layer | None = None) -> Bits:
    """Choose the voxels whose centres a round brush passes over.

    grid: the voxels
    points_lps: (n, 3) the way of the brush, straight from point to point, mm
    radius_mm: radius of the brush
    layer: keep to this slice: the brush is then a disc where it is a ball without
    """
    kji, spacing = grid.to_kji(points_lps).reshape(-1, 3), np.asarray(grid.spacing_kji)
    found = Bits()
    for start, end in pairwise(kji) if len(kji) > 1 else [(kji[0], kji[0])]:
        low = np.ceil(np.minimum(start, end) - radius_mm / spacing).astype(int)
        high = np.floor(np.maximum(start, end) + radius_mm / spacing).astype(int) + 1
        low, high = np.maximum(low, 0), np.minimum(high, grid.shape_kji)
        if layer is not None:
            low[layer.axis] = max(low[layer.axis], layer.index)
            high[layer.axis] = min(high[layer.axis], layer.index + 1)
        if (low < high).all():
            found |= Bits.of_box(low, _near_line(low, high, start, end, spacing, radius_mm))
    return found


def _near_line(
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    start: FloatArray,
    end: FloatArray,
    spacing: FloatArray,
    radius_mm: float,
) -> BoolArray:
    """[k, j, i] which voxels of a box lie within a distance of a straight piece.

    A few slices at a time: memory that stays in the cache of the processor costs half of the time.
    """
    k, j, i = (
        (((np.arange(low[n], high[n]) - start[n]) * spacing[n]).astype(np.float32)).reshape(shape)
        for n, shape in enumerate(((-1, 1, 1), (1, -1, 1), (1, 1, -1)))
    )
    piece = ((end - start) * spacing).astype(np.float32)
    near = np.empty((len(k), j.shape[1], i.shape[2]), np.bool_)
    for some in slabs(near.shape, _AT_ONCE):
        near[some] = _squared_to_line(k[some], j, i, piece) <= np.float32(radius_mm**2)
    return near


def _squared_to_line(k: FloatsArray, j: FloatsArray, i: FloatsArray, piece: FloatsArray) -> FloatsArray:
    """Squared distances from a straight piece that begins at the origin; all in place, for each frame.

    k, j, i: places along the axes, that go together to an array of three dimensions
    """
    squared: FloatsArray = (k**2 + j**2) + i**2
    length = float(piece @ piece)
    if length > 0:  # gone: the way to the nearest point of the piece, times its length
        along = (k * piece[0] + j * piece[1]) + i * piece[2]
        gone = np.minimum(along, np.float32(length))
        np.maximum(gone, 0, out=gone)
        along *= -2
        along += gone
        along *= gone
        along *= np.float32(1 / length)
        squared += along
    return squared


def of_grey(bits: Bits, volume: Volume, low: float, high: float) -> Bits:
    """Keep the voxels whose grey value lies between two values, both included.

    bits: the chosen voxels, on the grid of the scan
    """
    return bits.where(lambda at: (volume.voxels[at] >= low) & (volume.voxels[at] <= high))


def outside_of(bits: Bits, mask: Mask) -> Bits:
    """Keep the voxels that a mask on the same grid does not hold."""
    return bits.where(lambda at: ~mask.voxels[at])


def enclosed(
    grid: Grid,
    lps_to_pixel: FloatArray,
    outline: FloatArray,
    layer: Layer | None = None,
    report: Report = silent,
) -> Bits:
    """Choose the voxels whose centres are seen inside an outline, at any depth.

    Blocks that are seen wholly inside or outside are told by their eight corners; in the others each
    voxel is tested (even-odd rule: where an outline crosses itself twice, it is outside again).

    grid: the voxels
    lps_to_pixel: 4x4 homogeneous matrix of the view, from (L, P, S, 1) mm to (x, y, depth, 1) times w
    outline: (n, 2) corners of a closed polygon, pixels
    layer: keep to this slice
    report: told the progress; may raise Cancelled
    """
    shape = np.asarray(grid.shape_kji)
    first, last = np.zeros(3, int), shape.copy()
    if layer is not None:
        first[layer.axis], last[layer.axis] = layer.index, layer.index + 1
    to_pixel = np.asarray(lps_to_pixel) @ grid.kji_to_lps
    blocks: dict[tuple[int, int, int], bytes] = {}
    corners = list(product(*(range(a // BLOCK, -(-b // BLOCK)) for a, b in zip(first, last, strict=True))))
    low = np.maximum(np.asarray(corners) * BLOCK, first)
    high = np.minimum((np.asarray(corners) + 1) * BLOCK, last)
    boxes = _seen_boxes(to_pixel, low, high - 1)
    near = _touching(boxes, outline)
    for n in range(len(corners)):
        if n % 64 == 0:
            report(n / len(corners), "Finding the voxels inside the outline")
        if near[n]:
            chosen = _inside_of_block(to_pixel, low[n], high[n], outline)
        elif inside_polygon(boxes[n : n + 1, :2], outline)[0]:
            chosen = np.ones(high[n] - low[n], np.bool_)
        else:
            continue
        blocks |= Bits.of_box(low[n], chosen).blocks
    return Bits(blocks)


def _seen_boxes(to_pixel: FloatArray, low: NDArray[np.int64], high: NDArray[np.int64]) -> FloatArray:
    """(n, 4) the least and greatest x and y, in pixels, at which boxes of voxels are seen.

    A box that reaches behind the eye gets no bounds (nan).
    """
    ends = np.stack([low, high], axis=1).astype(np.float64)
    corners = np.stack([ends[:, (a, b, c), (0, 1, 2)] for a, b, c in product((0, 1), repeat=3)], axis=1)
    seen = corners @ to_pixel[:, :3].T + to_pixel[:, 3]
    flat = np.where(seen[..., 3:] > 0, seen[..., :2] / np.where(seen[..., 3:] > 0, seen[..., 3:], 1), np.nan)
    return np.concatenate([flat.min(axis=1), flat.max(axis=1)], axis=1)


def _touching(boxes: FloatArray, outline: FloatArray) -> BoolArray:
    """(n,) whether a side of a polygon may cross each box (by the box round it); unbounded ones count."""
    touched: BoolArray = np.asarray(np.isnan(boxes).any(axis=1))
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        low, high = np.minimum(start, end), np.maximum(start, end)
        meets = ((boxes[:, :2] <= high) & (low <= boxes[:, 2:])).all(axis=1)
        across = np.array([start[1] - end[1], end[0] - start[0]])  # all corners on one side: it passes by
        side = [(boxes[:, (x, y)] - start) @ across for x, y in product((0, 2), (1, 3))]
        touched |= meets & (np.min(side, axis=0) <= 0) & (np.max(side, axis=0) >= 0)
    return touched


def _inside_of_block(
    to_pixel: FloatArray, low: NDArray[np.int64], high: NDArray[np.int64], outline: FloatArray
) -> BoolArray:
    axes = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    k, j, i = (axes[n].reshape([-1 if m == n else 1 for m in range(3)]) for n in range(3))
    x, y, _, w = (row[0] * k + row[1] * j + row[2] * i + row[3] for row in to_pixel)
    w = np.broadcast_to(w, x.shape)
    ahead: BoolArray = w > 0
    pixels = np.stack([x, y], axis=-1).reshape(-1, 2) / np.where(ahead, w, 1).reshape(-1, 1)
    return ahead & inside_polygon(pixels, outline).reshape(x.shape)


def inside_polygon(points: FloatArray, outline: FloatArray) -> BoolArray:
    """(n,) whether points (n, 2) lie inside a closed polygon, by the even-odd rule (Shimrat 1962).

    outline: (m, 2) its corners
    """
    inside: BoolArray = np.zeros(len(points), np.bool_)
    if not len(points):
        return inside
    x, y = points[:, 0], points[:, 1]
    left, low, high = float(x.min()), float(y.min()), float(y.max())
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if max(y0, y1) < low or min(y0, y1) > high or max(x0, x1) < left or y0 == y1:
            continue  # no ray to the right meets it
        inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * ((y - y0) / (y1 - y0)) + x0)
    return inside


def simplified(line: FloatArray, tolerance: float) -> FloatArray:
    """The line with as few of its points as needed to stay within a tolerance (Douglas and Peucker 1973).

    line: (n, 2) points in order
    tolerance: greatest distance of a point that is left out from the line that stays
    """
    kept = np.zeros(len(line), np.bool_)
    kept[[0, -1]] = True
    pieces = [(0, len(line) - 1)]
    while pieces:
        first, last = pieces.pop()
        along, away = line[last] - line[first], line[first + 1 : last] - line[first]
        if not len(away):
            continue
        share = np.clip(away @ along / max(float(along @ along), 1e-12), 0, 1)
        far = np.linalg.norm(away - share[:, None] * along, axis=1)
        if far.max() > tolerance:
            middle = first + 1 + int(np.argmax(far))
            kept[middle] = True
            pieces += [(first, middle), (middle, last)]
    found: FloatArray = line[kept]
    return found


def between(grid: Grid, painted: Bits, axis: int, report: Report = silent) -> Bits:
    """Fill the slices between painted ones, with outlines that go over from one to the next.

    The signed distance to the outline is interpolated linearly from slice to slice (Raya and Udupa
    1990); half-way between two circles round one centre lies the circle of the mean radius.

    grid: the voxels
    painted: what is painted, in two slices at least
    axis: 0 for k, 1 for j, 2 for i: across the painted slices
    report: told the progress; may raise Cancelled
    Raises StepFailed when fewer than two slices are painted, or none lies between them.
    """
    box = painted.box
    low, high = (np.zeros(3, int), np.zeros(3, int)) if box is None else map(np.asarray, box)
    high = np.minimum(high, grid.shape_kji)
    dense = np.moveaxis(painted.in_box(low, tuple(high - low)), axis, 0)
    keys = np.flatnonzero(dense.any(axis=(1, 2)))
    if len(keys) < 2 or keys[-1] - keys[0] + 1 == len(keys):
        raise StepFailed(
            "There is nothing to fill: paint the outline in two slices at least, with slices between them "
            "that are left empty, and fill in the view in which you painted them."
        )
    spacing = np.delete(np.asarray(grid.spacing_kji), axis)
    filled = np.zeros_like(dense)
    for n, (a, b) in enumerate(pairwise(keys)):
        report(n / len(keys), "Filling between the painted slices")
        if b - a > 1:
            start, end = (_signed_distance(dense[one], spacing) for one in (a, b))
            for one in range(a + 1, b):
                share = (one - a) / (b - a)
                filled[one] = (1 - share) * start + share * end <= 0
    return Bits.of_box(low, np.moveaxis(filled, 0, axis))


def _signed_distance(shape: BoolArray, spacing: FloatArray) -> FloatArray:
    """Distance in mm to the border of a shape, negative inside; the array stands alone in a void."""
    padded = np.pad(shape, 1)
    inwards, outwards = (distance_transform_edt(one, sampling=spacing) for one in (padded, ~padded))
    away: FloatArray = (outwards - inwards)[1:-1, 1:-1]
    return away


def island(mask: Mask, seed_lps: Vec3, keep: bool, report: Report = silent) -> Bits:
    """Choose what has to be erased so that a connected part is kept alone, or goes.

    mask: the chosen voxels
    seed_lps: a point on the part, LPS mm
    keep: keep this part and erase the others; else erase this one
    report: told the progress; may raise Cancelled
    Raises StepFailed when the seed lies beside the chosen voxels.
    """
    part = parts_at(mask, [seed_lps], part_of(report, 0.0, 0.8))
    report(0.9, "Erasing")
    gone = mask.voxels & ~part.voxels if keep else part.voxels
    return Bits.of_box((0, 0, 0), gone)
