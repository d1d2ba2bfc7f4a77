"""The shaft of a bone (or its canal) as a row of outlines across its axis."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import FloatArray, IntArray, Part
from .axes import direction, place

ANGLES = 72  # rays of an outline


@dataclass(frozen=True, eq=False)
class Shaft:
    """Outlines of a bone across a straight line from its proximal to its distal end.

    origin: (3,) the proximal end, LPS mm
    axis, first, second: unit vectors, right-handed: along the line to distal, and across it
    stations_mm: (n,) places along the line where an outline was taken
    centres: (n, 2) middle of the area within each outline, along `first` and `second`, mm
    radii: (n, ANGLES) from that middle to the outline, mm
    """

    origin: FloatArray
    axis: FloatArray
    first: FloatArray
    second: FloatArray
    stations_mm: FloatArray
    centres: FloatArray
    radii: FloatArray

    @property
    def length_mm(self) -> float:
        """From end to end."""
        return float(self.stations_mm[-1])

    @cached_property
    def angles(self) -> FloatArray:
        """(ANGLES,) radians, from `first` to `second`."""
        return rays()

    def centre(self, at_mm: ArrayLike) -> FloatArray:
        """(..., 3) places of the centre line, LPS mm.

        at_mm: (...) from the proximal end
        """
        at = np.asarray(at_mm, np.float64)
        x, y = (np.interp(at, self.stations_mm, self.centres[:, n]) for n in (0, 1))
        found: FloatArray = (
            self.origin + at[..., None] * self.axis + x[..., None] * self.first + y[..., None] * self.second
        )
        return found

    def radius(self, at_mm: ArrayLike, angle: ArrayLike) -> FloatArray:
        """(...) from the centre line to the surface, mm.

        at_mm: (...) from the proximal end
        angle: (...) radians
        """
        step = self.length_mm / (len(self.stations_mm) - 1)
        row = np.clip(np.asarray(at_mm) / step, 0, len(self.stations_mm) - 1 - 1e-9)
        column = np.asarray(angle) / (2 * np.pi) * ANGLES
        k, j = np.floor(row).astype(int), np.floor(column).astype(int)
        v, u = row - k, column - np.floor(column)
        near, far = j % ANGLES, (j + 1) % ANGLES
        above = (1 - u) * self.radii[k, near] + u * self.radii[k, far]
        below = (1 - u) * self.radii[k + 1, near] + u * self.radii[k + 1, far]
        found: FloatArray = (1 - v) * above + v * below
        return found

    def ways(self, angle: ArrayLike) -> FloatArray:
        """(..., 3) unit vectors across the line at angles in radians."""
        turn = np.asarray(angle, np.float64)[..., None]
        found: FloatArray = np.cos(turn) * self.first + np.sin(turn) * self.second
        return found


def rays() -> FloatArray:
    """(ANGLES,) even angles of a full turn, radians."""
    return np.linspace(0.0, 2 * np.pi, ANGLES, endpoint=False)


def shaft_of(
    part: Part, proximal: ArrayLike, distal: ArrayLike, step_mm: float = 2.0, report: Report = silent
) -> Shaft:
    """Take outlines of a bone across the line between its ends.

    part: the bone, closed
    proximal, distal: (3,) LPS mm, the ends; outlines a little within them are taken
    step_mm: between two outlines, about
    report: told the progress; may raise Cancelled
    Raises StepFailed when the line does not run along the bone.
    """
    origin, axis = place(proximal, "proximal end"), direction(proximal, distal, "axis of the bone")
    length = float(np.linalg.norm(place(distal, "distal end") - origin))
    first = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    points = (part.points_lps - origin) @ np.stack([first, second, axis], axis=1)
    stations = np.linspace(0.0, length, max(int(np.ceil(length / step_mm)), 2) + 1)
    centres, radii = np.empty((len(stations), 2)), np.empty((len(stations), ANGLES))
    for n, at in enumerate(np.clip(stations, 0.5, length - 0.5)):
        report(n / len(stations), "Looking along the bone")
        lines = crossed(points, part.mesh.triangles, at)
        if not len(lines):
            raise StepFailed(
                f"There is no bone {at:.0f} mm from the proximal end: place both ends of it on the bone."
            )
        centres[n], radii[n] = _outline(lines, at)
    return Shaft(origin, axis, first, second, stations, centres, radii)


def crossed(points: FloatArray, triangles: IntArray, height: float) -> FloatArray:
    """(m, 2, 2) lines in which triangles meet the plane z = height.

    points: (n, 3) with z across the plane
    triangles: (m, 3)
    """
    z = points[:, 2] - height
    z = np.where(np.abs(z) < 1e-7, 1e-7, z)
    above = z[triangles] > 0
    cut = triangles[above.any(axis=1) & ~above.all(axis=1)]
    up = z[cut] > 0
    single = np.where(up.sum(axis=1) == 1, np.argmax(up, axis=1), np.argmin(up, axis=1))
    rows = np.arange(len(cut))
    tip = cut[rows, single]
    ends = [cut[rows, (single + n) % 3] for n in (1, 2)]
    lines = np.empty((len(cut), 2, 2))
    for n, end in enumerate(ends):
        share = (z[tip] / (z[tip] - z[end]))[:, None]
        lines[:, n] = points[tip, :2] + share * (points[end, :2] - points[tip, :2])
    return lines


def reach(lines: FloatArray, centre: ArrayLike, nearest: bool = False) -> FloatArray:
    """(ANGLES,) distance from a centre to an outline along even rays; infinite where a ray meets none.

    lines: (m, 2, 2) pieces of the outline
    centre: (2,)
    nearest: to the first crossing, else to the last
    """
    away = lines - np.asarray(centre)
    along, aside = np.cos(rays())[:, None, None], np.sin(rays())[:, None, None]
    x, y = away[..., 0] * along + away[..., 1] * aside, away[..., 1] * along - away[..., 0] * aside
    hit = (y[..., 0] > 0) != (y[..., 1] > 0)
    rise = np.where(hit, y[..., 1] - y[..., 0], 1.0)
    places = x[..., 0] - y[..., 0] * (x[..., 1] - x[..., 0]) / rise
    met = hit & (places > 0)
    first, last = np.where(met, places, np.inf).min(axis=1), np.where(met, places, -np.inf).max(axis=1)
    found: FloatArray = first if nearest else np.where(np.isfinite(last), last, np.inf)
    return found


def _outline(lines: FloatArray, at: float) -> tuple[FloatArray, FloatArray]:
    """Middle of the area within the outer outline, and its radii round it."""
    lengths = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1)
    centre = (lines.mean(axis=1) * lengths[:, None]).sum(axis=0) / max(lengths.sum(), 1e-12)
    for _ in range(3):
        radii = reach(lines, centre)
        if not np.isfinite(radii).all():
            raise StepFailed(
                f"The bone has no closed outline {at:.0f} mm from the proximal end of the axis: "
                "close it, and place the ends of the axis on it."
            )
        corners = radii[:, None] * np.stack([np.cos(rays()), np.sin(rays())], axis=1)
        after = np.roll(corners, -1, axis=0)
        double = corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]
        centre = centre + ((corners + after) * double[:, None]).sum(axis=0) / (3 * double.sum())
    return centre, reach(lines, centre)
