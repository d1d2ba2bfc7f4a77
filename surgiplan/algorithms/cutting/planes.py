"""Cuts along one plane, and pieces taken out between several."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import StepFailed
from ...values import FloatArray, Mesh, Part, Plane, Vec3, vec3
from ..solid import middle, require_closed, require_no_hole, solid_of
from .halving import parted
from .layers import layers_of
from .pieces import NOTHING, Cut, joined, kept_pieces, reach_of, region, require_thick, shares_of


@dataclass(frozen=True)
class Resection:
    """A piece sawn out of a bone.

    piece: what lies between the planes and hangs together
    rest: what stays
    kerf: the bone the saw turns to dust
    """

    piece: Part
    rest: Part
    kerf: Part


def cut(part: Part, plane: Plane, kerf_mm: float, kerf_side: str) -> Cut:
    """Saw a solid in two along a plane with a blade of real thickness.

    part: the solid
    plane: where to saw, LPS mm; side a is where its normal points
    kerf_mm: thickness of the removed slab, 0 for an ideal cut
    kerf_side: the side that loses it: "a", "b", or half from each with "both"
    Returns closed, capped solids in patient coordinates with identity poses.
    Raises StepFailed when the part is not a solid, the plane misses it, the blade swallows a side,
    or the volumes of the pieces do not add up to the whole.
    """
    require_thick(kerf_mm)
    into_a, into_b = shares_of(kerf_mm, kerf_side, "a", "b")
    layers = layers_of(part, plane, (into_a, -into_b) if kerf_mm else (0.0,))
    _require_hit(layers.low_mm, layers.high_mm, into_a, into_b)
    require_no_hole(part.mesh, "the body to cut")
    try:
        pieces = parted(part, plane, layers)
    except StepFailed:
        require_closed(part.mesh, "the body to cut")  # it may be inside out as a whole
        raise
    pieces = pieces or _split(part, plane, into_a, into_b)
    a, b, kerf = pieces[0], pieces[-1], pieces[1] if kerf_mm else NOTHING
    return Cut(*(Part(mesh, frame_uid=part.frame_uid) for mesh in (a, b, kerf)))


def _split(part: Part, plane: Plane, into_a: float, into_b: float) -> list[Mesh]:
    """The same by the geometry engine, which decides every case."""
    centre = middle(part)
    whole = solid_of(part, centre, "the body to cut")
    upper = plane.distance(centre)
    piece_a, rest = whole.split_by_plane(plane.normal, float(into_a - upper))
    bodies = {"piece a": piece_a, "piece b": rest}
    if into_a + into_b:
        slab, piece_b = rest.split_by_plane(plane.normal, float(-into_b - upper))
        bodies = {"piece a": piece_a, "the kerf": slab, "piece b": piece_b}
    return [piece.mesh for piece in kept_pieces(whole, bodies, centre, part).values()]


def resect(part: Part, planes: list[Plane], seed_lps: Vec3, kerf_mm: float, kerf_side: str) -> Resection:
    """Saw out the piece round a point that lies between planes; where the planes meet, the saw stops.

    part: the solid
    planes: one to six, LPS mm; which way their normals point does not matter
    seed_lps: (3,) a point in or on the piece, LPS mm; what lies between the planes but does not hang together
        with it stays in the rest
    kerf_mm: thickness of the saw, 0 for an ideal cut
    kerf_side: who loses it: "piece", "rest", or half from each with "both"
    Returns closed solids in patient coordinates with identity poses.
    Raises StepFailed when a plane misses the bone or passes through the point, when nothing is left on a
    side, or when the volumes do not add up.
    """
    require_thick(kerf_mm)
    inwards, outwards = shares_of(kerf_mm, kerf_side, "piece", "rest")
    inner, outer = _sides(part, planes, seed_lps, inwards, outwards)
    centre = middle(part)
    size = reach_of(part, centre)
    whole = solid_of(part, centre, "the body to cut")
    taken, rest = whole.split(region(size, *((n, d - float(n @ centre)) for n, d in outer)))
    taken, others = _hanging_together(taken, np.subtract(seed_lps, centre))
    if others:
        rest = joined([rest, *others])
    if kerf_mm:
        piece, kerf = taken.split(region(size, *((n, d - float(n @ centre)) for n, d in inner)))
    else:
        piece, kerf = taken, taken - taken
    for name, body, plane_side in (("the piece", piece, "into the bone"), ("the rest", rest, "further in")):
        if body.volume() <= 1e-12 * whole.volume():
            raise StepFailed(
                f"The saw leaves nothing of {name}: move the planes {plane_side}, or use a thinner blade."
            )
    found = kept_pieces(whole, {"the piece": piece, "the rest": rest, "the kerf": kerf}, centre, part)
    return Resection(found["the piece"], found["the rest"], found["the kerf"])


def facing(plane: Plane, inside_lps: Vec3) -> Plane:
    """A plane turned so that its normal points to a place, LPS mm."""
    turned = float(plane.distance([inside_lps])[0]) < 0
    return Plane(plane.point, vec3(-np.asarray(plane.normal))) if turned else plane


def _sides(
    part: Part, planes: list[Plane], seed_lps: Vec3, inwards: float, outwards: float
) -> tuple[list[tuple[FloatArray, float]], list[tuple[FloatArray, float]]]:
    """(normal, offset from the LPS origin) of the half-spaces of the piece, without and with its kerf."""
    inner, outer = [], []
    for number, plane in enumerate(planes, 1):
        away = float(plane.distance([seed_lps])[0])
        reach = layers_of(part, plane, ())
        _require_reached(reach.low_mm, reach.high_mm, f"Plane {number}")
        if abs(away) <= inwards:
            raise StepFailed(
                f"Plane {number} passes {abs(away):.3f} mm from the point that marks the piece, so the blade "
                "takes it away: move the plane, or put the point into the piece."
            )
        normal = np.asarray(plane.normal) * np.sign(away)
        offset = float(normal @ np.asarray(plane.point))
        inner.append((normal, offset + inwards))
        outer.append((normal, offset - outwards))
    return inner, outer


def _hanging_together(body: Any, seed: FloatArray) -> tuple[Any, list[Any]]:
    """The one of the bodies that is nearest to a point, and the others."""
    bodies = body.decompose()
    if len(bodies) < 2:
        return body, []
    nearest = int(np.argmin([_beyond(one, seed) for one in bodies]))
    return bodies[nearest], [one for n, one in enumerate(bodies) if n != nearest]


def _beyond(body: Any, point: FloatArray) -> float:
    """Distance of a point to the corners of a body, 0 inside."""
    points = body.to_mesh64().vert_properties[:, :3]
    beyond = points.max(axis=0) + np.array((1.0, 2.0, 3.0))
    inside = len(body.ray_cast(tuple(map(float, point)), tuple(map(float, beyond)))) % 2 == 1
    return 0.0 if inside else float(np.linalg.norm(points - point, axis=1).min())


def _require_reached(low: float, high: float, name: str) -> None:
    """Make sure that a body reaches from below a plane, mm, to above it; raises StepFailed when it misses."""
    if low > high:
        raise StepFailed("There is nothing to cut: the body has no points.")
    if low >= 0 or high <= 0:
        missed, side = (low, "a, where its normal points") if low >= 0 else (abs(high), "b")
        raise StepFailed(
            f"{name} misses the body by {missed:.3f} mm. Move the plane into the bone: the whole body lies "
            f"on side {side}."
        )


def _require_hit(low: float, high: float, into_a: float, into_b: float) -> None:
    _require_reached(low, high, "The plane")
    for side, taken, there in (("a", into_a, high), ("b", into_b, -low)):
        if there <= taken:
            raise StepFailed(
                f"The saw leaves nothing on side {side}: it takes {taken:g} mm there and the body reaches "
                f"only {there:.3f} mm past the plane. Move the plane, or use a thinner blade."
            )
