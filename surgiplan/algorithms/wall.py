"""How thick the wall of a bone is, and where it is thinner than the scan can show.

A wall of thickness w, blurred by a Gaussian of standard deviation s and cut at half of its contrast, looks
2x thick, with Phi((w/2 - x)/s) - Phi((-w/2 - x)/s) = 1/2. Below w = 1.349 s it is not seen at all; above, it
looks thinner than it is: by 0.2 mm at w = 1 mm and s = 0.6 mm, by a hundredth of w at 2.5 s.
"""

from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.optimize import brentq, curve_fit
from scipy.special import ndtr
from vtkmodules.vtkCommonCore import mutable
from vtkmodules.vtkCommonDataModel import vtkGenericCell

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import BoolArray, FloatArray, IntArray, Mesh, Part, Vec3, Volume, WallMap, given_away, vec3
from .distance import SignedDistance, locator_of
from .smooth import normals_of
from .space import require_one_frame
from .spread import area_of_points, percentile, spread

INVISIBLE = 1.349
"""A wall thinner than this many standard deviations of the blur is not seen (2 Phi^-1(3/4))."""

SHOWN = 2.5
"""A wall of so many standard deviations is shown within a fiftieth of its thickness."""

_LEAST_READ_MM = 3.0
_PLACES = 6000
_READING_MM = 0.05
_SKIN_MM = 1e-3
_FACING = -0.3  # cosine: the other side of a wall looks the other way
_HEARD = 4000  # rays between two reports
_NAMED = 5  # places where a body rests on a thin wall that are named
_APART_MM = 3.0


def walls(
    bone: Part,
    sigma_mm: float | None,
    resting: Part | None = None,
    contact_mm: float = 0.5,
    reach_mm: float = 10.0,
    report: Report = silent,
) -> WallMap:
    """Measure the wall under every point of a bone, and mark where the scan cannot show it rightly.

    The thickness at a point is the diameter of the ball that touches the surface there and, where the inward
    normal meets it, on the other side. A wall counts as thin when it looks thinner than one of 2.5 times
    the blur would.

    bone: the surface, closed
    sigma_mm: blur of the scan it was made from (standard deviation); None marks nothing
    resting: an implant or a guide, in the same patient space
    contact_mm: bone that lies so near to that body counts as touched
    reach_mm: walls thicker than this are not looked for
    report: told the progress; may raise Cancelled
    Raises StepFailed when the bone is not closed, Mismatch for two patient spaces.
    """
    if not bone.mesh.watertight:
        raise StepFailed("The wall of an open surface has no other side. Repair the bone first.")
    if resting is not None:
        require_one_frame(bone, resting)
    wall = thickness(bone.mesh, reach_mm, part_of(report, 0.0, 0.8))
    thin_mm = 0.0 if sigma_mm is None else apparent(SHOWN * sigma_mm, sigma_mm)
    thin, area = wall < thin_mm, area_of_points(bone.mesh)
    has = np.isfinite(wall)
    if not has.any():
        raise StepFailed(f"No wall of the bone is thinner than {reach_mm:g} mm. Raise the reach.")
    share = area[has] / area[has].sum()
    places: tuple[Vec3, ...] = ()
    resting_share = None
    if resting is not None:
        touched = _touched(bone, resting, contact_mm, part_of(report, 0.8, 1.0))
        resting_share = float(area[touched & thin].sum() / area[touched].sum()) if touched.any() else 0.0
        places = _some_places(bone.points_lps, wall, touched & thin)
    return WallMap(
        part=bone,
        wall_mm=given_away(wall.astype(np.float32)),
        thin_mm=thin_mm,
        sigma_mm=sigma_mm,
        min_mm=float(wall.min()),
        mean_mm=float(wall[has] @ share),
        p5_mm=percentile(wall[has], share, 0.05),
        thin_share=float(area[thin].sum() / area.sum()),
        thinnest_lps=vec3(bone.points_lps[int(wall.argmin())]),
        resting_lps=places,
        resting_share=resting_share,
    )


def thickness(
    mesh: Mesh, reach_mm: float, report: Report = silent, only: IntArray | None = None
) -> FloatArray:
    """(n,) thickness of the wall at each point of a closed surface; infinite where none is within reach.

    mesh: the surface
    reach_mm: walls thicker than this are not looked for
    report: told the progress; may raise Cancelled
    only: (n,) the points that are wanted; None for all
    """
    points, every = mesh.points.astype(np.float64), normals_of(mesh)
    corners = points[mesh.triangles]
    points, normals = (points, every) if only is None else (points[only], every[only])
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    faces /= np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-300)
    hit, place = _other_side(corners, faces, points, normals, reach_mm, report)
    found = np.flatnonzero(hit >= 0)
    there = _normal_at(mesh, every, hit[found], place[found])
    across = np.einsum("ni,ni->n", place[found] - points[found], there)
    opening = 1 - np.einsum("ni,ni->n", normals[found], there)
    wall = np.full(len(points), np.inf)
    wall[found] = np.maximum(2 * across / opening, 0)
    return wall


def apparent(wall_mm: float, sigma_mm: float) -> float:
    """How thick a wall looks at half of its contrast; 0 when it is not seen.

    wall_mm: its true thickness
    sigma_mm: standard deviation of the blur
    """
    if sigma_mm <= 0:
        return wall_mm
    half = wall_mm / (2 * sigma_mm)

    def excess(x: float) -> float:
        return float(ndtr(half - x) - ndtr(-half - x)) - 0.5

    return 0.0 if excess(0.0) <= 0 else 2 * sigma_mm * float(brentq(excess, 0.0, half + 1.0))


def blur_of(volume: Volume, bone: Part, report: Report = silent) -> float:
    """Estimate the blur of a scan from the spread of the edge of a bone: its standard deviation in mm.

    A blurred wall (two levels, a wall between them, its thickness and the blur) is fitted to the median of
    the grey values along the normals of many places, as Treece et al. 2010 fit each of them; so a thin wall
    does not pass for a sharp edge. What the interpolation between voxels adds is taken off; the averaging
    over a voxel is part of the blur, which is never less than that.

    volume: the scan the bone was made from
    bone: its surface
    report: told the progress; may raise Cancelled
    Raises StepFailed when the grey value does not fall from the inside to the outside.
    """
    report(0.0, "Estimating the blur of the scan")
    corners = bone.points_lps[bone.mesh.triangles]
    places, triangle = spread(corners, _PLACES)
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[triangle]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    reach = max(_LEAST_READ_MM, 3 * max(volume.grid.spacing_kji))
    along = np.arange(-reach, reach + _READING_MM / 2, _READING_MM)
    at = np.moveaxis(volume.grid.to_kji(places[:, None] + along[:, None] * outward[:, None]), 2, 0)
    grey = map_coordinates(
        volume.voxels, at, output=np.float64, order=1, mode="constant", cval=np.nan, prefilter=False
    )
    rise = np.median(grey[np.isfinite(grey).all(axis=1)], axis=0)
    spread_mm = _edge_spread(along, rise)
    towards = np.einsum("ni,ia->na", outward, volume.grid.axes) ** 2
    squared_step = float((towards.mean(axis=0) * np.square(volume.grid.spacing_kji)).sum())
    return float(np.sqrt(max(spread_mm**2 - squared_step / 6, squared_step / 12)))


def _edge_spread(along: FloatArray, rise: FloatArray) -> float:
    """Standard deviation of the blur of a wall, from grey values on the way outwards through its surface."""
    if not len(rise) or not np.isfinite(rise).all() or not rise.max() > rise[-1]:
        raise StepFailed(
            "The blur of the scan cannot be read: its grey value does not fall at the surface of the bone. "
            "Choose the scan that the bone was made from, or give the blur."
        )
    low, high = float(rise[-1]), float(rise.max())
    scaled = (rise - low) / (high - low)

    def wall(
        x: FloatArray, outside: float, peak: float, inside: float, at: float, width: float, sigma: float
    ) -> FloatArray:
        fall: FloatArray = ndtr((at - x) / sigma)
        inner: FloatArray = ndtr((at - width - x) / sigma)
        return outside + (peak - outside) * fall - (peak - inside) * inner

    reach = float(along[-1])
    bounds = ((-0.5, 0.3, -0.5, -reach, 0.05, 0.02), (0.5, 20.0, 20.0, reach, 4 * reach, reach))
    best, least = np.nan, np.inf
    for width in (reach / 4, reach, 2 * reach):
        start = (0.0, 1.0, float(np.clip(scaled[0], -0.4, 2)), 0.0, width, reach / 6)
        try:
            found, _ = curve_fit(wall, along, scaled, start, bounds=bounds, max_nfev=2000)
        except RuntimeError:  # did not settle from here
            continue
        rest = float(np.square(wall(along, *found) - scaled).sum())
        if rest < least:
            best, least = float(found[-1]), rest
    if not np.isfinite(best):
        raise StepFailed("The blur of the scan cannot be read from the edge of this bone: give the blur.")
    return best


def _other_side(
    corners: FloatArray,
    faces: FloatArray,
    points: FloatArray,
    normals: FloatArray,
    reach_mm: float,
    report: Report,
) -> tuple[Any, FloatArray]:
    """The first triangle (n,) inwards of each point that looks the other way, or -1; and where it is met."""
    triangles = np.arange(3 * len(corners), dtype=np.int32).reshape(-1, 3)
    search, cell = locator_of(corners.reshape(-1, 3), triangles), vtkGenericCell()
    share, sub, triangle = mutable(0.0), mutable(0), mutable(0)
    place, inner = [0.0] * 3, [0.0] * 3
    hit, places = np.full(len(points), -1), np.zeros((len(points), 3))
    starts, ends = points - _SKIN_MM * normals, points - reach_mm * normals
    for n, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        if n % _HEARD == 0:
            report(n / len(points), "Measuring the walls")
        for _ in range(4):
            if not search.IntersectWithLine(start, end, 1e-9, share, place, inner, sub, triangle, cell):
                break
            if faces[int(triangle)] @ normals[n] < _FACING:
                hit[n], places[n] = int(triangle), place
                break
            start = [p - _SKIN_MM * float(m) for p, m in zip(place, normals[n], strict=True)]
    return hit, places


def _normal_at(mesh: Mesh, normals: FloatArray, triangle: Any, place: FloatArray) -> FloatArray:
    """Unit normals (n, 3) at places in triangles, between those of the corners."""
    a, b, c = mesh.points.astype(np.float64)[mesh.triangles[triangle]].transpose(1, 0, 2)
    whole = np.cross(b - a, c - a)
    weights = np.stack(
        [np.einsum("ni,ni->n", np.cross(q - place, r - place), whole) for q, r in ((b, c), (c, a), (a, b))],
        axis=1,
    )
    summed = np.einsum("nc,nci->ni", np.maximum(weights, 0), normals[mesh.triangles[triangle]])
    unit: FloatArray = summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-300)
    return unit


def _touched(bone: Part, resting: Part, contact_mm: float, report: Report) -> BoolArray:
    """(n,) the points of the bone that lie near a body, or in it."""
    points = bone.points_lps
    low, high = resting.bounds_lps + np.array([[-contact_mm], [contact_mm]])
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    touched = np.zeros(len(points), np.bool_)
    if len(near):
        away = SignedDistance(resting.mesh).at(resting.pose.inverse.apply(points[near]), report)
        touched[near[away <= contact_mm]] = True
    return touched


def _some_places(points: FloatArray, wall: FloatArray, chosen: BoolArray) -> tuple[Vec3, ...]:
    """A few of the chosen points, thinnest first, that lie apart from each other."""
    found: list[FloatArray] = []
    for n in np.flatnonzero(chosen)[np.argsort(wall[chosen])]:
        if all(np.linalg.norm(points[n] - one) > _APART_MM for one in found):
            found.append(points[n])
        if len(found) == _NAMED:
            break
    return tuple(vec3(one) for one in found)
