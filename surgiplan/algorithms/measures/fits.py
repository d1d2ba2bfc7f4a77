"""Landmarks found from the shape of a bone: a click is drawn to what was meant.

The sphere of a head, the axis of a shaft, the centre of a neck; single points are those of `peaks`.
All fits are least squares over the corners of the surface near the click that belong to the fitted shape;
what lies off it (a neck, a trochanter, a pit) is left out step by step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...errors import StepFailed
from ...values import BoolArray, FloatArray, Part, Vec3, vec3
from ..distance import SignedDistance
from ..smooth import normals_of
from .vectors import placed

_ROUNDS = 40
_FEWEST = 30  # corners a shape is fitted to
_FACING = 0.9  # cosine between the normal of a corner and that of the fitted shape
_SAME_WAY = 0.3  # cosine; what faces more away than this is another side of the bone
_OFF_MM = 0.8  # a corner farther from the fitted shape than this is not part of it
_STILL_MM = 1e-6
_FIRST_MM = 12.0  # round the click, from which the first guess is made
LONGEST_MM = 60.0  # of a shaft, up and down from the click


@dataclass(frozen=True)
class Fitted:
    """A shape that was found in a surface.

    centre: of a sphere; of an axis the point beside the click; of a point the point itself; LPS mm
    axis: unit direction of an axis; None for a sphere or a point
    radius_mm: of the sphere or the cylinder; 0 for a point
    off_mm: root mean square of how far the corners used lie off the shape
    error_mm: standard deviation of each coordinate of the centre that follows from that, the corners taken as
        independent over the length of a few edges
    corners: how many were used
    """

    centre: Vec3
    axis: Vec3 | None
    radius_mm: float
    off_mm: float
    error_mm: float
    corners: int


class Near:
    """The surface of a bone as the fits see it.

    part: the bone; closed and facing outwards
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self.points: FloatArray = part.points_lps
        self.normals: FloatArray = normals_of(part.mesh) @ part.pose.rotation.T
        self._surface = SignedDistance(part.mesh)

    def on_surface(self, click: ArrayLike) -> FloatArray:
        """(3,) the place of the surface nearest to a click, LPS mm."""
        inner = self.part.pose.inverse.apply(placed(click))
        found: FloatArray = self.part.pose.apply(self._surface.nearest(inner))[0]
        return found

    def within(self, place: FloatArray, reach_mm: float) -> BoolArray:
        """(n,) the corners no farther from a place than this."""
        away = self.points - place
        near: BoolArray = np.einsum("ni,ni->n", away, away) <= reach_mm**2
        return near


def sphere(bone: Near, click: ArrayLike, largest_mm: float = 40.0) -> Fitted:
    """Fit a sphere to the round of a bone, such as the head of a femur.

    bone: the surface
    click: (3,) LPS mm, on the round or inside it
    largest_mm: a radius above this is no head
    Raises StepFailed when no sphere holds enough of the surface there.
    """
    start = bone.on_surface(click)
    chosen = bone.within(start, _FIRST_MM) & (bone.normals @ _normal_near(bone, start) > _SAME_WAY)
    centre, radius = _sphere_through(bone.points[chosen], bone.normals[chosen])
    for _ in range(_ROUNDS):
        away = bone.points - centre
        length = np.maximum(np.linalg.norm(away, axis=1), 1e-9)
        facing = np.abs(np.einsum("ni,ni->n", away, bone.normals)) / length
        tolerance = max(_OFF_MM, 0.05 * radius)
        chosen = (np.abs(length - radius) <= tolerance) & (facing >= _FACING) & (length > 0)
        require_enough(chosen, "sphere")
        before = centre
        centre, radius = _sphere_through(bone.points[chosen], bone.normals[chosen])
        if radius > largest_mm or not np.isfinite(radius):
            raise StepFailed(
                f"No ball is found here: the surface fits one of {radius:.0f} mm radius. Click on the round "
                "of the head."
            )
        if np.linalg.norm(centre - before) < _STILL_MM:
            break
    chosen &= _not_far_off(np.linalg.norm(bone.points - centre, axis=1) - radius, chosen)
    centre, radius = _sphere_through(bone.points[chosen], bone.normals[chosen])
    off = np.linalg.norm(bone.points[chosen] - centre, axis=1) - radius
    ways = (bone.points[chosen] - centre) / radius
    spread = np.linalg.inv(np.c_[ways, np.ones(len(ways))].T @ np.c_[ways, np.ones(len(ways))])[:3, :3]
    rms = float(np.sqrt(np.mean(off**2)))
    error = rms * float(np.sqrt(_together(bone, chosen) * np.trace(spread) / 3))
    return Fitted(vec3(centre), None, radius, rms, error, int(chosen.sum()))


def _sphere_through(points: FloatArray, normals: FloatArray) -> tuple[FloatArray, float]:
    """Centre and radius by least squares: algebraic first, then two steps of Gauss and Newton."""
    if len(points) < 4:
        raise StepFailed("No ball is found here: too little of the surface lies near the click.")
    middle = points.mean(axis=0)
    away = points - middle
    terms = np.c_[2 * away, np.ones(len(away))]
    found, *_ = np.linalg.lstsq(terms, np.einsum("ni,ni->n", away, away), rcond=None)
    centre = middle + found[:3]
    radius = float(np.sqrt(max(found[3] + found[:3] @ found[:3], 1e-12)))
    for _ in range(4):
        out = points - centre
        length = np.maximum(np.linalg.norm(out, axis=1), 1e-9)
        slopes = np.c_[-out / length[:, None], -np.ones(len(out))]
        step, *_ = np.linalg.lstsq(slopes, radius - length, rcond=None)
        centre, radius = centre + step[:3], radius + float(step[3])
    return centre, radius


def shaft(bone: Near, click: ArrayLike, half_mm: float = LONGEST_MM) -> Fitted:
    """Fit the axis of a shaft: of the cylinder that lies nearest to the surface.

    bone: the surface
    click: (3,) LPS mm, on the shaft or inside it
    half_mm: how far up and down from the click the shaft is looked at
    Raises StepFailed when the surface there is not that of a shaft.
    """
    start = bone.on_surface(click)
    chosen = bone.within(start, min(half_mm, _FIRST_MM)) & (
        bone.normals @ _normal_near(bone, start) > _SAME_WAY
    )
    require_enough(chosen, "shaft")
    axis = _along(bone.normals[chosen])
    centre, radius = _first_circle(bone.points[chosen], bone.normals[chosen], start, axis)
    for reach in np.linspace(min(half_mm, _FIRST_MM), half_mm, 8):
        for _ in range(6):
            chosen = _of_cylinder(bone, centre, axis, radius, float(reach), start)
            require_enough(chosen, "shaft")
            centre, axis, radius = _cylinder_through(bone.points[chosen], centre, axis, radius)
    if not 1.0 <= radius <= 60.0:
        raise StepFailed(f"No shaft is found here: its radius would be {radius:.1f} mm. Click on the shaft.")
    chosen &= _not_far_off(_off_cylinder(bone.points, centre, axis) - radius, chosen)
    centre, axis, radius = _cylinder_through(bone.points[chosen], centre, axis, radius)
    off = _off_cylinder(bone.points[chosen], centre, axis) - radius
    rms = float(np.sqrt(np.mean(off**2)))
    beside = centre + axis * float((start - centre) @ axis)
    error = rms * float(np.sqrt(_together(bone, chosen) * 2 / len(off)))
    return Fitted(vec3(beside), vec3(axis), radius, rms, error, int(chosen.sum()))


def _along(normals: FloatArray) -> FloatArray:
    """(3,) the direction to which the normals of a shaft stand at right angles."""
    axis: FloatArray = np.linalg.eigh(normals.T @ normals)[1][:, 0]
    return axis


def _first_circle(
    points: FloatArray, normals: FloatArray, start: FloatArray, axis: FloatArray
) -> tuple[FloatArray, float]:
    """A point of the axis and the radius: corners lie one radius along their normals from the axis."""
    flat = points - start
    flat -= np.outer(flat @ axis, axis)
    ways = normals - np.outer(normals @ axis, axis)
    middle, turned = flat.mean(axis=0), ways.mean(axis=0)
    radius = float(((flat - middle) * (ways - turned)).sum() / max(((ways - turned) ** 2).sum(), 1e-12))
    return start + middle - radius * turned, radius


def _of_cylinder(
    bone: Near, centre: FloatArray, axis: FloatArray, radius: float, reach: float, start: FloatArray
) -> BoolArray:
    """(n,) the corners near the click that lie on a cylinder and face outwards from it."""
    away = bone.points - centre
    along = away @ axis
    flat = away - np.outer(along, axis)
    length = np.maximum(np.linalg.norm(flat, axis=1), 1e-9)
    facing = np.einsum("ni,ni->n", flat, bone.normals) / length
    height = np.abs(along - float((start - centre) @ axis))
    found: BoolArray = (np.abs(length - radius) <= 0.25 * radius) & (facing >= 0.8) & (height <= reach)
    return found


def _off_cylinder(points: FloatArray, centre: FloatArray, axis: FloatArray) -> FloatArray:
    away = points - centre
    off: FloatArray = np.linalg.norm(away - np.outer(away @ axis, axis), axis=1)
    return off


def _cylinder_through(
    points: FloatArray, centre: FloatArray, axis: FloatArray, radius: float
) -> tuple[FloatArray, FloatArray, float]:
    """A step of Gauss and Newton for the axis and the radius of a cylinder."""
    u = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    centre = centre + axis * float((points - centre).mean(axis=0) @ axis)
    away = points - centre
    along = away @ axis
    flat = np.c_[away @ u, away @ v]
    length = np.maximum(np.linalg.norm(flat, axis=1), 1e-9)
    ways = flat / length[:, None]
    slopes = np.c_[-ways, -ways * along[:, None], -np.ones(len(ways))]
    step, *_ = np.linalg.lstsq(slopes, radius - length, rcond=None)
    moved = axis + step[2] * u + step[3] * v
    return centre + step[0] * u + step[1] * v, moved / np.linalg.norm(moved), radius + float(step[4])


def neck(bone: Near, click: ArrayLike, larger: float = 1.25) -> Fitted:
    """Find the centre of the neck below a head: of the ring in which a larger sphere cuts the bone.

    bone: the surface
    click: (3,) LPS mm, on the head or inside it
    larger: radius of that sphere over that of the head
    The ball of the head with a radius enlarged by a quarter is method 4 of J. Exp. Orthop. 2023;10:141.
    """
    head = sphere(bone, click)
    reach = larger * head.radius_mm
    beyond = np.linalg.norm(bone.points - head.centre, axis=1) - reach
    triangles = bone.part.mesh.triangles
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 3, 2)
    crossed = (beyond[edges[..., 0]] > 0) != (beyond[edges[..., 1]] > 0)
    pieces = np.flatnonzero(crossed.sum(axis=1) == 2)
    if len(pieces) < _FEWEST:
        raise StepFailed("No neck is found here: nothing leaves the head. Place the landmark by hand.")
    ends = edges[pieces][crossed[pieces]]
    share = beyond[ends[:, 0]] / (beyond[ends[:, 0]] - beyond[ends[:, 1]])
    places = bone.points[ends[:, 0]] + share[:, None] * (bone.points[ends[:, 1]] - bone.points[ends[:, 0]])
    named = np.sort(ends, axis=1)
    _, number = np.unique(named, axis=0, return_inverse=True)
    number = number.reshape(-1, 2)
    places_of = places.reshape(-1, 2, 3)
    links = coo_array((np.ones(len(number)), number.T), (number.max() + 1,) * 2)
    _, ring = connected_components(links, directed=False)
    ring_of = ring[number[:, 0]]
    length = np.linalg.norm(places_of[:, 1] - places_of[:, 0], axis=1)
    longest = ring_of == int(np.bincount(ring_of, length).argmax())
    centre = np.average(places_of[longest].mean(axis=1), axis=0, weights=length[longest])
    away = np.linalg.norm(places_of[longest].mean(axis=1) - centre, axis=1)
    axis = np.asarray(head.centre) - centre
    unit = axis / np.linalg.norm(axis)
    return Fitted(
        vec3(centre), vec3(unit), float(away.mean()), head.off_mm, head.error_mm, int(longest.sum())
    )


def inside(bone: Near, click: ArrayLike) -> Fitted:
    """Find the middle of a bone below a click: half way to the surface of its other side.

    bone: the surface
    click: (3,) LPS mm, on the surface
    Raises StepFailed when there is no other side within 80 mm.
    """
    start = bone.on_surface(click)
    normal = _normal_near(bone, start)
    depth = -((bone.points - start) @ normal)
    beside = np.linalg.norm(bone.points - start + np.outer(depth, normal), axis=1)
    other = (beside <= 2.0) & (depth > 0.5) & (depth < 80.0) & (bone.normals @ normal < -_SAME_WAY)
    if not other.any():
        raise StepFailed("There is no other side of the bone below this place: place the landmark by hand.")
    nearest = float(depth[other].min())
    there = float(np.median(depth[other & (depth < nearest + 2.0)]))
    spread = float(np.std(depth[other & (depth < nearest + 2.0)]))
    centre = start - there / 2 * normal
    return Fitted(vec3(centre), vec3(normal), there / 2, spread, spread / 2, int(other.sum()))


def _normal_near(bone: Near, place: FloatArray) -> FloatArray:
    normal: FloatArray = bone.normals[int(np.square(bone.points - place).sum(axis=1).argmin())]
    return normal


def require_enough(chosen: BoolArray, what: str) -> None:
    """Make sure that a fit has corners to go by; raises StepFailed.

    chosen: (n,) the corners it goes by
    what: is looked for, for the message
    """
    if (count := int(chosen.sum())) < _FEWEST:
        raise StepFailed(
            f"No {what} is found here: only {count} corners of the surface fit one, {_FEWEST} are needed. "
            "Click in the middle of it, or place the landmark by hand."
        )


def _not_far_off(off: FloatArray, chosen: BoolArray) -> BoolArray:
    """(n,) what lies within three robust standard deviations of a fitted shape."""
    spread = 1.4826 * float(np.median(np.abs(off[chosen] - np.median(off[chosen]))))
    kept: BoolArray = np.abs(off) <= max(3 * spread, 1e-3)
    return kept


def _together(bone: Near, chosen: BoolArray) -> float:
    """How many corners err together: noise of a scan is the same over about three edges each way."""
    return min(9.0, float(chosen.sum()) / 6)
